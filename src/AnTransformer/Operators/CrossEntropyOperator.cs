using AnTransformer.Kernels;
using AnTransformer.Kernels.Cpu;
using static TorchSharp.torch;

namespace AnTransformer.Operators;

/// <summary>
/// Head and mean cross-entropy in one operator. Logits exist for some of the tokens at a time; where gradients are
/// wanted they are turned into their gradient in place and multiplied on at once, so that <c>[B·T, V]</c> never is in
/// memory and no product is computed twice.
/// </summary>
internal sealed unsafe class CrossEntropyOperator
{
    private const long LogitsAtOnce = 1 << 22;
    private const long SmallestChunk = 64;

    private readonly LinearInput _input;
    private readonly Projection _head;
    private readonly RowScales? _scales;
    private readonly long _rows;
    private readonly long _vocabulary;

    private CrossEntropyOperator(LinearInput input, Projection head, RowScales? scales)
    {
        (_input, _head, _scales) = (input, head, scales);
        _rows = input.Source.numel() / input.SourceWidth;
        _vocabulary = head.Weight.shape[0];
    }

    /// <summary>
    /// Whether the fused kernels can take it; targets outside the vocabulary are left to TorchSharp, which knows what
    /// to do.
    /// </summary>
    public static bool Fits(LinearInput input, Projection head, Tensor targets)
    {
        if (!FusedKernels.ArePlain(input.Source, input.Gain, head.Weight) || !input.IsValid
            || input.Width != head.Weight.shape[1]
            || targets.numel() != input.Source.numel() / input.SourceWidth
            || targets.dtype != ScalarType.Int64 || targets.device_type != TorchSharp.DeviceType.CPU
            || !targets.is_contiguous())
        {
            return false;
        }

        var ids = new ReadOnlySpan<long>(TensorMemory.Longs(targets), checked((int)targets.numel()));
        var vocabulary = (ulong)head.Weight.shape[0];
        foreach (var id in ids)
        {
            if ((ulong)id >= vocabulary)
                return false;
        }

        return true;
    }

    /// <summary>Mean over all tokens of −log softmax(s_z ⊙ W f(h))[target], in nats.</summary>
    /// <param name="input">The stream after the last block, [B, T, d], or a function of it.</param>
    /// <param name="head">W, [V, d].</param>
    /// <param name="scales">s_z, or null.</param>
    /// <param name="targets">int64, [B, T].</param>
    /// <returns>A scalar.</returns>
    public static Tensor Mean(LinearInput input, Projection head, RowScales? scales, Tensor targets)
    {
        Dispatch.Record(Operation.Loss, DispatchPath.Fused);
        var operation = new CrossEntropyOperator(input, head, scales);
        List<Tensor> inputs = [input.Source, head.Weight];
        if (input.Gain is not null)
            inputs.Add(input.Gain);
        if (scales is not null)
            inputs.AddRange(scales.Parameters);
        var isNeeded = AutogradNode.IsNeeded([.. inputs]);
        var gradients = isNeeded ? new Gradients(operation) : null;
        using var losses = BufferPool.Rent(operation._rows);
        operation.Compute(TensorMemory.Longs(targets), losses.Pointer, gradients);
        GC.KeepAlive(targets);
        var sum = 0.0;
        foreach (var loss in new ReadOnlySpan<float>(losses.Pointer, checked((int)operation._rows)))
            sum += loss;
        var output = tensor((float)(sum / operation._rows));
        if (gradients is not null)
            AutogradNode.Record(inputs, output, gradients.Saved, gradient => operation.Backward(gradient, gradients));
        return output;
    }

    /// <summary>−log softmax(s_z ⊙ W f(h))[target] of every token, in nats, outside the graph.</summary>
    /// <param name="input">The stream after the last block, [B, T, d], or a function of it.</param>
    /// <param name="head">W, [V, d].</param>
    /// <param name="scales">s_z, or null.</param>
    /// <param name="targets">int64, [B, T].</param>
    /// <returns>Shape [B, T].</returns>
    public static Tensor PerToken(LinearInput input, Projection head, RowScales? scales, Tensor targets)
    {
        Dispatch.Record(Operation.TokenLosses, DispatchPath.Fused);
        var operation = new CrossEntropyOperator(input, head, scales);
        var losses = BufferPool.Empty(targets.shape);
        operation.Compute(TensorMemory.Longs(targets), TensorMemory.Floats(losses), gradients: null);
        GC.KeepAlive(targets);
        return losses;
    }

    private void Compute(long* targets, float* losses, Gradients? gradients)
    {
        var (width, sourceWidth, vocabulary) = (_input.Width, _input.SourceWidth, _vocabulary);
        var source = TensorMemory.Floats(_input.Source);
        var chunk = Math.Clamp(LogitsAtOnce / vocabulary, SmallestChunk, Math.Max(SmallestChunk, _rows));
        using var logits = BufferPool.Rent(chunk * vocabulary);
        using var scratch = BufferPool.Rent(_input.IsIdentity ? 1 : 2 * chunk * width);
        using var scaledRows = BufferPool.Rent(_scales is null ? 1 : (vocabulary * width) + vocabulary);
        using var gainSums = new ChannelSums(_input.Gain is null || gradients is null ? 0 : width);
        var matrix = ScaledMatrix(scaledRows.Pointer);
        for (long first = 0; first < _rows; first += chunk)
        {
            var count = Math.Min(chunk, _rows - first);
            var x = source + (first * sourceWidth);
            if (!_input.IsIdentity)
            {
                using var timer = PhaseClock.Measure(Phase.FusedOperators);
                var from = x;
                var to = scratch.Pointer;
                CpuTeam.For(
                    count, 8, (row, rows) => _input.Forward(from + (row * sourceWidth), to + (row * width), rows));
                x = to;
            }

            using (PhaseClock.Measure(Phase.MatrixProducts))
                Gemm.MultiplyTransposed(
                    count, vocabulary, width, 1, x, width, matrix, width, 0, logits.Pointer, vocabulary);
            using (PhaseClock.Measure(Phase.FusedOperators))
                Softmax(logits.Pointer, targets + first, losses + first, count, gradients is null ? 0 : 1f / _rows);
            if (gradients is null)
                continue;
            var target = gradients.Source + (first * sourceWidth);
            var dx = _input.IsIdentity ? target : scratch.Pointer + (chunk * width);
            using (PhaseClock.Measure(Phase.MatrixProducts))
            {
                Gemm.Multiply(count, width, vocabulary, 1, logits.Pointer, vocabulary, matrix, width, 0, dx, width);
                Gemm.TransposedMultiply(
                    vocabulary, width, count, 1, logits.Pointer, vocabulary, x, width, first == 0
                        ? 0
                        : 1, gradients.Matrix, width);
            }

            if (!_input.IsIdentity)
            {
                using var timer = PhaseClock.Measure(Phase.FusedOperators);
                var from = source + (first * sourceWidth);
                gainSums.Run(count, (row, rows, sums)
                    => _input.Backward(
                        dx + (row * width), from + (row * sourceWidth), target + (row * sourceWidth), sums, rows));
            }
        }

        if (_input.Gain is not null && gradients is not null)
            gainSums.AddTo(gradients.Gain);
    }

    /// <summary>diag(s_z) W in scratch memory, or W itself.</summary>
    private float* ScaledMatrix(float* scratch)
    {
        var matrix = TensorMemory.Floats(_head.Weight);
        if (_scales is null)
            return matrix;
        using var timer = PhaseClock.Measure(Phase.FusedOperators);
        var width = (int)_input.Width;
        var s = scratch + (_vocabulary * width);
        _scales.Values(s);
        CpuTeam.For(_vocabulary, 32, (first, count)
            => CpuKernels.Instance.ScaleRows(
                matrix + (first * width), s + first, scratch + (first * width), count, width));
        return scratch;
    }

    private void Softmax(float* logits, long* targets, float* losses, long rows, float gradientFactor)
    {
        var vocabulary = (int)_vocabulary;
        CpuTeam.For(rows, 4, (first, count) => CpuKernels.Instance.CrossEntropy(
            logits + (first * vocabulary), targets + first, losses + first, count, vocabulary, gradientFactor));
    }

    private List<Tensor?> Backward(Tensor gradient, Gradients gradients)
    {
        using var timer = PhaseClock.Measure(Phase.FusedOperators);
        var factor = *TensorMemory.Floats(gradient);
        var source = AutogradNode.Save(gradients.Saved[0]);
        if (factor != 1)
            Multiply(TensorMemory.Floats(source), factor, source.numel() / _input.SourceWidth, (int)_input.SourceWidth);
        List<Tensor?> results = [source];
        var weightTarget = new GradientTarget([_head.Weight]);
        var scaleTarget = _scales is null ? null : new GradientTarget(_scales.Parameters);
        var (width, vocabulary) = ((int)_input.Width, _vocabulary);
        var g = gradients.Matrix;
        var dw = weightTarget.Pointer;
        if (scaleTarget is null)
        {
            CpuTeam.For(vocabulary, 64, (first, count)
                => CpuKernels.Instance.AddScaled(dw + (first * width), g + (first * width), factor, count * width));
        }
        else
        {
            using var values = BufferPool.Rent(2 * vocabulary);
            var s = values.Pointer;
            var ds = s + vocabulary;
            var w = TensorMemory.Floats(_head.Weight);
            _scales!.Values(s);
            CpuTeam.For(vocabulary, 64, (first, count) =>
            {
                if (factor != 1)
                    CpuKernels.Instance.Multiply(g + (first * width), factor, count * width);
                CpuKernels.Instance.ScaleRowsBackward(
                    g + (first * width), w + (first * width), s + first, dw + (first * width), ds
                        + first, count, width);
            });
            _scales.Backward(ds, scaleTarget.Pointer);
        }

        results.AddRange(weightTarget.Results());
        if (_input.Gain is { } gain)
        {
            var gainTarget = new GradientTarget([gain]);
            CpuKernels.Instance.AddScaled(gainTarget.Pointer, gradients.Gain, factor, width);
            results.AddRange(gainTarget.Results());
        }

        if (scaleTarget is not null)
            results.AddRange(scaleTarget.Results());
        return results;
    }

    private static void Multiply(float* x, float factor, long rows, int width)
        => CpuTeam.For(
            rows, 64, (first, count) => CpuKernels.Instance.Multiply(x + (first * width), factor, count * width));

    /// <summary>Gradients for a loss whose own gradient is 1, computed along with it.</summary>
    private sealed class Gradients
    {
        public Gradients(CrossEntropyOperator operation)
        {
            using var source = BufferPool.Empty(operation._input.Source.shape);
            using var matrix = BufferPool.Empty(operation._vocabulary, operation._input.Width);
            using var gain = zeros(
                [operation._input.Gain is null ? 1 : operation._input.Width], dtype: ScalarType.Float32);
            Saved = [AutogradNode.Save(source), AutogradNode.Save(matrix), AutogradNode.Save(gain)];
        }

        public IReadOnlyList<Tensor> Saved { get; }

        public float* Source => TensorMemory.Floats(Saved[0]);

        public float* Matrix => TensorMemory.Floats(Saved[1]);

        public float* Gain => TensorMemory.Floats(Saved[2]);
    }
}
