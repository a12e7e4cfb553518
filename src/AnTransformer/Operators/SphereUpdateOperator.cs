using AnTransformer.Kernels;
using AnTransformer.Kernels.Cpu;
using static TorchSharp.torch;

namespace AnTransformer.Operators;

/// <summary>nGPT's residual update L2(h + |α| ⊙ (L2(x) − h)), in one pass each way on the CPU.</summary>
internal static unsafe class SphereUpdateOperator
{
    /// <summary>Whether the kernels can take it.</summary>
    public static bool Fits(Tensor h, Tensor x, ReparameterizedScale alpha)
        => FusedKernels.ArePlain(h, x, alpha.Stored) && h.shape.AsSpan().SequenceEqual(x.shape)
            && alpha.Stored.numel() == h.shape[^1];

    /// <summary>Applies the update.</summary>
    /// <param name="h">The stream, [..., d].</param>
    /// <param name="x">A block's output, [..., d].</param>
    /// <param name="alpha">α, [d].</param>
    /// <returns>Shape [..., d], of unit norm.</returns>
    public static Tensor Apply(Tensor h, Tensor x, ReparameterizedScale alpha)
    {
        Dispatch.Record(Operation.SphereUpdate, DispatchPath.Fused);
        var output = BufferPool.Empty(h.shape);
        using (PhaseClock.Measure(Phase.FusedOperators))
        {
            var width = (int)h.shape[^1];
            using var values = BufferPool.Rent(width);
            Values(alpha, values.Pointer);
            var stream = TensorMemory.Floats(h);
            var update = TensorMemory.Floats(x);
            var to = TensorMemory.Floats(output);
            var a = values.Pointer;
            CpuTeam.For(h.numel() / width, 16, (first, count) => CpuKernels.Instance.SphereUpdate(
                stream + (first * width), update + (first * width), a, to + (first * width), count, width));
        }

        if (AutogradNode.IsNeeded(h, x, alpha.Stored))
        {
            List<Tensor> saved = [AutogradNode.Save(h), AutogradNode.Save(x)];
            AutogradNode.Record(
                [h, x, alpha.Stored], output, saved, gradient => Backward(gradient, saved[0], saved[1], alpha));
        }

        return output;
    }

    private static List<Tensor?> Backward(Tensor gradient, Tensor h, Tensor x, ReparameterizedScale alpha)
    {
        using var timer = PhaseClock.Measure(Phase.FusedOperators);
        var width = (int)h.shape[^1];
        var (streamGradient, updateGradient) = (BufferPool.Empty(h.shape), BufferPool.Empty(x.shape));
        var target = new GradientTarget([alpha.Stored]);
        using var values = BufferPool.Rent(2L * width);
        Values(alpha, values.Pointer);
        using var sums = new ChannelSums(width);
        var g = TensorMemory.Floats(gradient);
        var stream = TensorMemory.Floats(h);
        var update = TensorMemory.Floats(x);
        var dh = TensorMemory.Floats(streamGradient);
        var dx = TensorMemory.Floats(updateGradient);
        var a = values.Pointer;
        sums.Run(h.numel() / width, (first, count, partial) => CpuKernels.Instance.SphereUpdateBackward(
            g + (first * width), stream + (first * width), update + (first * width), a, dh + (first * width), dx
                + (first * width),
            partial, count, width));
        var da = a + width;
        new Span<float>(da, width).Clear();
        sums.AddTo(da);
        var stored = TensorMemory.Floats(alpha.Stored);
        for (var i = 0; i < width; i++)
            target.Pointer[i] += (float)(da[i] * Interpolation.SignOf(stored[i] * alpha.ToValue) * alpha.ToValue);
        return [streamGradient, updateGradient, .. target.Results()];
    }

    private static void Values(ReparameterizedScale alpha, float* values)
    {
        var stored = TensorMemory.Floats(alpha.Stored);
        for (long i = 0, size = alpha.Stored.numel(); i < size; i++)
            values[i] = (float)Math.Abs(stored[i] * alpha.ToValue);
    }
}
