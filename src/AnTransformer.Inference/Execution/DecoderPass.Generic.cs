using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using AnTransformer.Checkpoints;
using AnTransformer.Configuration;
using AnTransformer.Inference.Kernels;
using AnTransformer.Inference.Weights;
using AnTransformer.Kernels.Cpu;

namespace AnTransformer.Inference.Execution;

/// <summary>The pass for one vector width.</summary>
/// <typeparam name="V">The vector.</typeparam>
internal sealed unsafe class DecoderPass<V> : DecoderPass
    where V : struct, ISimd<V>
{
    private const int StepsOfBlock = 6;
    private readonly ModelConfig _config;
    private readonly AttentionShape _shape;
    private readonly EmbeddingRows _embedding;
    private readonly PackedBlock[] _blocks;
    private readonly RowFunction _headInput;
    private readonly PackedMatrix[] _head;
    private readonly WeightArena _packed;
    private readonly RotaryTable _rotary;
    private readonly ThreadTeam _team;
    private readonly WorkQueue _work;
    private readonly ThreadBuffers<V>[] _own;
    private readonly SharedBuffers _shared = new();
    private readonly Action<int> _program;

    private SequencePart[] _parts = new SequencePart[16];
    private int _partCount;
    private readonly int[] _tokens = new int[MostTokens];
    private readonly int[] _positions = new int[MostTokens];
    private readonly int[] _partOfRow = new int[MostTokens];
    private readonly AttentionTile[] _tiles = new AttentionTile[MostTokens];
    private int _tileCount;
    private int _rows;
    private readonly int[] _outputs = new int[MostTokens];
    private int _outputCount;

    public DecoderPass(GraphCheckpoint checkpoint, InferenceOptions options, ThreadTeam team)
    {
        var graph = checkpoint.Graph;
        var weights = new WeightLoader(checkpoint.Weights, options);
        (_config, _shape, _team) = (graph.Config, graph.Config.Attention, team);
        _embedding = new EmbeddingRows(graph.Embedding, checkpoint.Weights, weights);
        _blocks = [.. graph.Blocks.Select(block => PackedBlock.Of<V>(block, _shape, weights))];
        _headInput = RowFunction.Of(graph.HeadInput);
        _head = [weights.Load(graph.Head)];
        _packed = weights.Arena;
        _rotary = new RotaryTable(_config.RopeTheta, _shape.HeadSize, _config.MaxPositionEmbeddings);
        _work = new WorkQueue(team.Threads, (_blocks.Length * StepsOfBlock) + 1);
        _own = [.. Enumerable.Range(0, team.Threads).Select(_ => new ThreadBuffers<V>(_config))];
        _program = RunThread;
    }

    /// <inheritdoc/>
    public override int Panel => Tiles<V>.Columns;

    /// <inheritdoc/>
    public override long WeightBytes
        => _blocks.SelectMany(block => block.Matrices).Concat(_head).Sum(matrix => matrix.Bytes);

    /// <inheritdoc/>
    public override long PackedBytes => _packed.Bytes;

    private bool IsFew => _rows <= MatrixProducts<V>.FewTokens;

    /// <inheritdoc/>
    public override float* Run(ReadOnlySpan<SequencePart> parts, ReadOnlySpan<int> tokens, ReadOnlySpan<int> outputs)
    {
        Prepare(parts, tokens, outputs);
        _team.Run(_program);
        foreach (var part in parts)
            part.Store.Length = part.Position + part.Rows;
        return _shared.Logits;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (var block in _blocks)
            block.Dispose();
        _headInput.Dispose();
        _packed.Dispose();
        _rotary.Dispose();
        foreach (var buffers in _own)
            buffers.Dispose();
        _shared.Dispose();
    }

    private void Prepare(ReadOnlySpan<SequencePart> parts, ReadOnlySpan<int> tokens, ReadOnlySpan<int> outputs)
    {
        if (_parts.Length < parts.Length)
            _parts = new SequencePart[parts.Length];
        parts.CopyTo(_parts);
        tokens.CopyTo(_tokens);
        outputs.CopyTo(_outputs);
        (_partCount, _rows, _outputCount, _tileCount) = (parts.Length, tokens.Length, outputs.Length, 0);
        var longest = 0;
        for (var index = 0; index < _partCount; index++)
        {
            var part = parts[index];
            longest = Math.Max(longest, part.Position + part.Rows);
            part.Store.Reserve(part.Position + part.Rows);
            for (var row = 0; row < part.Rows; row++)
                (_positions[part.FirstRow + row], _partOfRow[part.FirstRow + row]) = (part.Position + row, index);
            for (var row = 0; row < part.Rows; row += Tiles<V>.Rows)
                _tiles[_tileCount++] = new AttentionTile(
                    index, part.FirstRow + row, Math.Min(Tiles<V>.Rows, part.Rows - row));
        }

        _rotary.Reserve(longest);
        _work.Reset();
        _shared.Reserve(_config, _rows, _outputCount);
        foreach (var buffers in _own)
            buffers.Reserve(_rows, longest);
    }

    private void RunThread(int thread)
    {
        var own = _own[thread];
        var (d, isFew) = (_config.HiddenSize, IsFew);
        var h = isFew ? own.Stream : _shared.Stream;
        var first = isFew ? 0 : Share(thread, _rows);
        var count = (isFew ? _rows : Share(thread + 1, _rows)) - first;
        var mine = h + ((long)first * d);
        for (var row = 0; row < count; row++)
            _embedding.Read(_tokens[first + row], mine + ((long)row * d));
        var step = 0;
        for (var layer = 0; layer < _blocks.Length; layer++)
        {
            var block = _blocks[layer];
            var x = Input(block.AttentionInput, own, h, first, count);
            Product(block.Projections, x, d, _rows, _shared.Projected, _shape.ProjectedWidth, step++, thread);
            _team.Barrier();
            Rotate(block.QueryKey, layer, step++, thread);
            _team.Barrier();
            Attend(layer, step++, thread);
            _team.Barrier();
            Product(block.Output, _shared.Attended, _shape.QueryWidth, _rows, _shared.Output, d, step++, thread);
            _team.Barrier();
            block.AttentionUpdate.Apply(mine, _shared.Output + ((long)first * d), count, d, own.Scratch);

            x = Input(block.MlpInput, own, h, first, count);
            GatedProduct(block, x, step++, thread);
            _team.Barrier();
            Product(block.Down, _shared.Gated, _config.IntermediateSize, _rows, _shared.Output, d, step++, thread);
            _team.Barrier();
            block.MlpUpdate.Apply(mine, _shared.Output + ((long)first * d), count, d, own.Scratch);
        }

        if (_outputCount > 0)
            Head(h, step, thread);
    }

    private int Share(int thread, int count) => (int)((long)count * thread / _team.Threads);

    /// <summary>What matrices read: of few tokens a thread's own, of many one that all have made together.</summary>
    private float* Input(RowFunction function, ThreadBuffers<V> own, float* h, int first, int count)
    {
        var d = _config.HiddenSize;
        var x = function.IsIdentity ? h : IsFew ? own.Input : _shared.Input;
        if (!function.IsIdentity)
            function.Apply(h + ((long)first * d), x + ((long)first * d), count, d);
        if (!IsFew)
            _team.Barrier();
        return x;
    }

    private void Head(float* h, int step, int thread)
    {
        var (own, d) = (_own[thread], _config.HiddenSize);
        if (!IsFew)
            _team.Barrier();
        var isFew = _outputCount <= MatrixProducts<V>.FewTokens;
        var x = isFew ? own.Input : _shared.Input;
        var first = isFew ? 0 : Share(thread, _outputCount);
        var end = isFew ? _outputCount : Share(thread + 1, _outputCount);
        for (var i = first; i < end; i++)
            _headInput.Apply(h + ((long)_outputs[i] * d), x + ((long)i * d), 1, d);
        if (!isFew)
            _team.Barrier();
        Product(_head, x, d, _outputCount, _shared.Logits, _config.VocabSize, step, thread);
    }

    /// <summary>Outputs of matrices that read the same input, side by side in y's rows.</summary>
    private void Product(
        PackedMatrix[] matrices, float* x, long ldx, int rows, float* y, long ldy, int step, int thread)
    {
        var parts = 0;
        foreach (var matrix in matrices)
            parts += PartsOf(matrix.Rows, RowsOfPart(matrix, rows));
        var (own, helped) = (_own[thread], 0);
        PackedMatrix? scaled = null;
        for (int part; (part = _work.Take(step, thread, ref helped, parts)) >= 0;)
        {
            long column = 0;
            foreach (var matrix in matrices)
            {
                var size = RowsOfPart(matrix, rows);
                var count = PartsOf(matrix.Rows, size);
                if (part >= count)
                {
                    part -= count;
                    column += matrix.Rows;
                    continue;
                }

                var row = part * size;
                var input = Scaled(matrix, x, ref ldx, rows, own, ref scaled);
                MatrixProducts<V>.Multiply(
                    matrix, row, Math.Min(size, matrix.Rows - row), input, ldx, rows, y + column
                        + row, ldy, own.Scratch);
                break;
            }
        }
    }

    /// <summary>u ⊙ SiLU(g) of some channels of both matrices at once, so that neither leaves the cache.</summary>
    private void GatedProduct(PackedBlock block, float* x, int step, int thread)
    {
        var (own, helped, f, rows) = (_own[thread], 0, _config.IntermediateSize, _rows);
        var size = RowsOfPart(block.Gate, rows);
        var parts = PartsOf(f, size);
        PackedMatrix? scaled = null;
        for (int part; (part = _work.Take(step, thread, ref helped, parts)) >= 0;)
        {
            var row = part * size;
            var count = Math.Min(size, f - row);
            var pairs = own.Pairs(rows, count);
            long ldx = _config.HiddenSize;
            var input = Scaled(block.Gate, x, ref ldx, rows, own, ref scaled);
            MatrixProducts<V>.Multiply(block.Gate, row, count, input, ldx, rows, pairs, 2 * count, own.Scratch);
            ldx = _config.HiddenSize;
            input = Scaled(block.Up, x, ref ldx, rows, own, ref scaled);
            MatrixProducts<V>.Multiply(block.Up, row, count, input, ldx, rows, pairs + count, 2 * count, own.Scratch);
            for (var token = 0; token < rows; token++)
            {
                CpuKernels.Instance.SwiGlu(
                    pairs + (2L * token * count), _shared.Gated + ((long)token * f) + row, 1, count, 1);
            }
        }
    }

    /// <summary>
    /// Few tokens' input times a matrix's column scales; of many tokens a panel of the matrix takes them.
    /// </summary>
    private float* Scaled(
        PackedMatrix matrix, float* x, ref long ldx, int rows, ThreadBuffers<V> own, ref PackedMatrix? scaled)
    {
        if (matrix.ColumnScales is not { } scales || rows > MatrixProducts<V>.FewTokens)
            return x;
        var target = own.ScaledInput;
        if (scaled != matrix)
        {
            for (var row = 0; row < rows; row++)
            {
                for (var i = 0; i < matrix.Columns; i++)
                    target[((long)row * matrix.Columns) + i] = x[(row * ldx) + i] * scales.Floats[i];
            }

            scaled = matrix;
        }

        ldx = matrix.Columns;
        return target;
    }

    private void Rotate(QueryKeyKernel kernel, int layer, int step, int thread)
    {
        var (heads, size, group) = (_shape.KeyValueHeads, _shape.HeadSize, _shape.GroupSize);
        var helped = 0;
        var key = _own[thread].Key;
        // A token's heads are parts of their own where there are few tokens.
        var headsOfPart = IsFew ? 1 : heads;
        var partsOfRow = heads / headsOfPart;
        for (int part; (part = _work.Take(step, thread, ref helped, _rows * partsOfRow)) >= 0;)
        {
            var (row, firstHead) = (part / partsOfRow, part % partsOfRow * headsOfPart);
            var position = _positions[row];
            float* cos = _rotary.Cosines(position), sin = _rotary.Sines(position);
            var queries = _shared.Projected + ((long)row * _shape.ProjectedWidth);
            var keys = queries + _shape.QueryWidth;
            var values = keys + _shape.KeyValueWidth;
            var rotated = _shared.Queries + ((long)row * _shape.QueryWidth);
            for (var head = firstHead; head < firstHead + headsOfPart; head++)
            {
                kernel.Key(keys + (head * size), head, cos, sin, key);
                _parts[_partOfRow[row]].Store.Write(layer, head, position, key, values + (head * size));
                for (var query = head * group; query < (head + 1) * group; query++)
                    kernel.Query(queries + (query * size), query, cos, sin, rotated + (query * size));
            }
        }
    }

    private void Attend(int layer, int step, int thread)
    {
        var (own, helped) = (_own[thread], 0);
        for (int part; (part = _work.Take(step, thread, ref helped, _tileCount * _shape.Heads)) >= 0;)
        {
            // From the end, where queries see most: the longest parts had better not come last.
            var (tile, head) = Math.DivRem(part, _shape.Heads);
            AttendTile(_tiles[_tileCount - 1 - tile], head, layer, own);
        }
    }

    private void AttendTile(AttentionTile tile, int head, int layer, ThreadBuffers<V> own)
    {
        var part = _parts[tile.Part];
        var (size, panel, width) = (_shape.HeadSize, Panel, (long)_shape.QueryWidth);
        var shared = head / _shape.GroupSize;
        var start = _positions[tile.Row];
        var visible = _shape.Causal ? start + tile.Rows : part.Position + part.Rows;
        var seen = _shape.Causal ? Math.Max(0, start + 1 - (long)_shape.Span) : 0;
        var from = (int)(seen / panel * panel);
        var keys = visible - from;
        var scores = own.Scores;
        var stride = own.ScoreStride;
        var queries = _shared.Queries + (tile.Row * width) + (head * size);
        for (var key = 0; key < keys; key += panel)
        {
            Tiles<V>.Multiply(
                tile.Rows, panel, size, queries, width, part.Store.Keys(layer, shared, from + key), scores
                    + key, stride, 1,
                add: false);
        }

        CpuKernels.Instance.CausalSoftmax(
            scores, stride, own.LogSums, tile.Rows, keys, _shape.Causal ? start - from : keys, _shape.Span);
        var result = _shared.Attended + (tile.Row * width) + (head * size);
        for (var channel = 0; channel < size; channel += panel)
        {
            Tiles<V>.Multiply(
                tile.Rows, Math.Min(panel, size - channel), keys, scores, stride,
                part.Store.Values(layer, shared, channel, from), result + channel, width, 1, add: false);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int PartsOf(int rows, int size) => (rows + size - 1) / size;

    /// <summary>
    /// Rows that are worth taking at once: about 64 KiB, whole fours, and a few parts for each thread.
    /// </summary>
    private int RowsOfPart(PackedMatrix matrix, int tokens)
    {
        const int Bytes = 64 << 10;
        if (tokens > MatrixProducts<V>.FewTokens)
            return Tiles<V>.Columns;
        var rows = Math.Min(Bytes / matrix.RowBytes, matrix.Rows / (4 * _team.Threads));
        return (int)Math.Max(4, rows / 4 * 4);
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct AttentionTile(int Part, int Row, int Rows);
}
