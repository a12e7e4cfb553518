using System.Runtime.CompilerServices;
using AnTransformer.Configuration;

namespace AnTransformer.Kernels.Cpu;

/// <summary>
/// Attention of a head by <see cref="GemmTile{V}"/>: keys and values are packed once, scores are made for a tile's
/// queries at a time and only as far as these see, and stay in the first-level cache until they have met the values.
/// </summary>
/// <typeparam name="V">The vector.</typeparam>
internal sealed unsafe class TiledAttentionHead<V> : AttentionHead
    where V : struct, ISimd<V>
{
    private static int Strip
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => GemmTile<V>.Rows;
    }

    /// <summary>Queries whose gradients meet keys and values at once: whole strips.</summary>
    private static int QueryBlock => 128 / Strip * Strip;

    private static int Panel
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => GemmTile<V>.Columns;
    }

    public override DispatchPath Path => DispatchPath.Own;

    public override long ForwardScratch(int length, AttentionShape shape)
        => KeyPanels(length, shape.HeadSize) + ValuePanels(length, shape.HeadSize) + (Strip * ScoreStride(length))
            + (Strip * (long)shape.HeadSize);

    public override long BackwardScratch(int length, AttentionShape shape)
        => (2 * KeyPanels(length, shape.HeadSize)) + ValuePanels(length, shape.HeadSize)
            + (2 * QueryBlock * ScoreStride(length))
            + (2 * ValuePanels(QueryBlock, shape.HeadSize)) + (2L * Strip * shape.HeadSize)
            + (2 * PaddedRows(length) * (long)shape.HeadSize);

    public override void Forward(
        float* q, float* k, float* v, long vStride, float* y, long yStride, float* logSumExp, int length,
        AttentionShape shape, float* scratch)
    {
        var (headSize, causal, window) = (shape.HeadSize, shape.Causal, shape.Span);
        var keyPanels = scratch;
        var valuePanels = keyPanels + KeyPanels(length, headSize);
        var scores = valuePanels + ValuePanels(length, headSize);
        var padded = scores + (Strip * ScoreStride(length));
        var stride = ScoreStride(length);
        PackRows(k, headSize, length, headSize, keyPanels);
        PackColumns(v, vStride, length, headSize, valuePanels);
        for (var first = 0; first < length; first += Strip)
        {
            var rows = Math.Min(Strip, length - first);
            var visible = causal ? first + rows : length;
            var query = PadStrip(q + (first * (long)headSize), headSize, rows, headSize, padded, out var queryStride);
            var seen = FirstSeen(first, window);
            var keys = visible - seen;
            Scores(query, queryStride, keyPanels + (seen * (long)headSize), keys, headSize, scores, stride);
            CpuKernels.Instance.CausalSoftmax(scores, stride, logSumExp + first, rows, keys,
                causal ? first - seen : keys, window);
            Product(keys, scores, stride, 1, valuePanels + (seen * Panel), length, y + (first * yStride), yStride,
                rows, headSize, add: false);
        }
    }

    public override void Backward(
        float* q, float* k, float* v, long vStride, float* dy, long dyStride, float* logSumExp, float* dq, float* dk,
        float* dv, bool add, int length, AttentionShape shape, float* scratch)
    {
        var (headSize, causal, window) = (shape.HeadSize, shape.Causal, shape.Span);
        var stride = ScoreStride(length);
        var keysByDepth = scratch;                                              // kᵀ, vᵀ for scores and their gradient
        var valuesByDepth = keysByDepth + KeyPanels(length, headSize);
        var keys = valuesByDepth + KeyPanels(length, headSize);                 // k for the queries' gradient
        var scores = keys + ValuePanels(length, headSize);
        var dScores = scores + (QueryBlock * stride);
        // q, dy for the keys' and values' gradients
        var queries = dScores + (QueryBlock * stride);
        var gradients = queries + ValuePanels(QueryBlock, headSize);
        var paddedQuery = gradients + ValuePanels(QueryBlock, headSize);
        var paddedGradient = paddedQuery + (Strip * (long)headSize);
        var keyGradient = paddedGradient + (Strip * (long)headSize);            // whole tiles of rows
        var valueGradient = keyGradient + (PaddedRows(length) * (long)headSize);
        PackRows(k, headSize, length, headSize, keysByDepth);
        PackRows(v, vStride, length, headSize, valuesByDepth);
        PackColumns(k, headSize, length, headSize, keys);
        new Span<float>(keyGradient, 2 * PaddedRows(length) * headSize).Clear();
        for (var first = 0; first < length; first += QueryBlock)
        {
            var count = Math.Min(QueryBlock, length - first);
            var seenByBlock = FirstSeen(first, window) / Strip * Strip;
            // Keys in whole tiles; what queries do not see is 0.
            var end = PaddedRows(causal ? first + count : length);
            for (var start = 0; start < count; start += Strip)
            {
                var row = first + start;
                var rows = Math.Min(Strip, length - row);
                var visible = causal ? row + rows : length;
                var p = scores + (start * stride);
                var dp = dScores + (start * stride);
                var query = PadStrip(
                    q + (row * (long)headSize), headSize, rows, headSize, paddedQuery, out var queryStride);
                var gradient = PadStrip(
                    dy + (row * dyStride), dyStride, rows, headSize, paddedGradient, out var gradientStride);
                var seen = FirstSeen(row, window);
                var (keyCount, offset) = (visible - seen, seen * (long)headSize);
                Scores(query, queryStride, keysByDepth + offset, keyCount, headSize, p + seen, stride);
                Scores(gradient, gradientStride, valuesByDepth + offset, keyCount, headSize, dp + seen, stride);
                CpuKernels.Instance.CausalSoftmaxBackward(
                    p + seen, dp + seen, stride, logSumExp + row, rows, keyCount, causal ? row - seen : keyCount,
                    window);
                ClearFirst(p, stride, seenByBlock, seen);
                ClearFirst(dp, stride, seenByBlock, seen);
                ClearRest(p, stride, rows, visible, end);
                ClearRest(dp, stride, rows, visible, end);
                Product(
                    keyCount, dp + seen, stride, 1, keys + (seen * Panel), length, dq + (row * (long)headSize),
                    headSize, rows, headSize, add: false);
            }

            PackColumns(q + (first * (long)headSize), headSize, count, headSize, queries);
            PackColumns(dy + (first * dyStride), dyStride, count, headSize, gradients);
            for (var key = seenByBlock; key < end; key += Strip)
            {
                // Queries before these keys do not see them.
                var skipped = causal ? Math.Max(0, key - first) : 0;
                var (depth, at) = (count - skipped, key * (long)headSize);
                var p = scores + (skipped * stride) + key;
                var dp = dScores + (skipped * stride) + key;
                Product(
                    depth, p, 1, stride, gradients + (skipped * Panel), count, valueGradient + at, headSize, Strip,
                    headSize, add: true);
                Product(
                    depth, dp, 1, stride, queries + (skipped * Panel), count, keyGradient + at, headSize, Strip,
                    headSize, add: true);
            }
        }

        for (var row = 0; row < length; row++)
        {
            CopyRow(keyGradient + (row * (long)headSize), dk + (row * (long)headSize), headSize, add);
            CopyRow(valueGradient + (row * (long)headSize), dv + (row * vStride), headSize, add);
        }
    }

    private static int PaddedRows(int length) => (length + Strip - 1) / Strip * Strip;

    // rows must not share cache sets
    private static long ScoreStride(int length) => ((length + Panel - 1) / Panel * Panel) + 16;

    private static long KeyPanels(int length, int headSize) => (length + Panel - 1L) / Panel * Panel * headSize;

    private static long ValuePanels(int length, int headSize) => (headSize + Panel - 1L) / Panel * Panel * length;

    /// <summary>Rows as columns of panels [dh, columns of a tile].</summary>
    private static void PackRows(float* rows, long stride, int count, int headSize, float* panels)
    {
        for (var row = 0; row < count; row += Panel, panels += (long)Panel * headSize)
            GemmPanel<V>.PackTransposed(rows + (row * stride), stride, Math.Min(Panel, count - row), headSize, panels);
    }

    /// <summary>Columns in panels [count, columns of a tile].</summary>
    private static void PackColumns(float* rows, long stride, int count, int headSize, float* panels)
    {
        for (var column = 0; column < headSize; column += Panel, panels += (long)Panel * count)
            GemmPanel<V>.Pack(rows + column, stride, Math.Min(Panel, headSize - column), count, panels);
    }

    /// <summary>The rows themselves, or fewer than a strip of them followed by zeros in scratch memory.</summary>
    private static float* PadStrip(
        float* rows, long stride, int count, int headSize, float* padded, out long paddedStride)
    {
        paddedStride = count == Strip ? stride : headSize;
        if (count == Strip)
            return rows;
        new Span<float>(padded, Strip * headSize).Clear();
        for (var row = 0; row < count; row++)
            new ReadOnlySpan<float>(rows + (row * stride), headSize)
                .CopyTo(new Span<float>(padded + (row * (long)headSize), headSize));
        return padded;
    }

    private static void Scores(
        float* rows, long rowStride, float* panels, int visible, int headSize, float* scores, long stride)
    {
        for (var key = 0; key < visible; key += Panel)
            GemmTile<V>.Multiply(
                headSize, rows, rowStride, 1, panels + (key * (long)headSize), scores + key, stride, 1, add: false);
    }

    /// <summary>A strip of rows, or columns, of scores times a matrix in panels.</summary>
    private static void Product(
        int depth, float* a, long rowStep, long depthStep, float* panels, int panelDepth, float* c, long ldc, int rows,
        int headSize, bool add)
    {
        for (var column = 0; column < headSize; column += Panel)
        {
            GemmTile<V>.MultiplyPart(
                depth, a, rowStep, depthStep, panels + (column * (long)panelDepth), c
                    + column, ldc, 1, add, rows, Math.Min(Panel, headSize - column));
        }
    }

    /// <summary>The first key that a query and those after it see, rounded down to whole panels.</summary>
    private static int FirstSeen(int query, int window) => Math.Max(0, query + 1 - window) / Panel * Panel;

    private static void ClearFirst(float* scores, long stride, int from, int to)
    {
        if (from == to)
            return;
        for (var row = 0; row < Strip; row++)
            new Span<float>(scores + (row * stride) + from, to - from).Clear();
    }

    private static void ClearRest(float* scores, long stride, int rows, int visible, int end)
    {
        for (var row = 0; row < Strip; row++, scores += stride)
        {
            var from = row < rows ? visible : 0;
            new Span<float>(scores + from, end - from).Clear();
        }
    }
}
