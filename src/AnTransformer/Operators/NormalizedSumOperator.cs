using AnTransformer.Kernels;
using AnTransformer.Kernels.Cpu;
using static TorchSharp.torch;

namespace AnTransformer.Operators;

/// <summary>
/// The residual update h + gain ⊙ x / √(mean(x²) + ε) of architectures that normalize what a branch writes.
/// </summary>
internal static unsafe class NormalizedSumOperator
{
    private const int RowsAtATime = 16;

    /// <summary>Whether the kernels can take it.</summary>
    public static bool Fits(Tensor h, Tensor x, RmsNorm norm)
        => FusedKernels.ArePlain(h, x, norm.Weight) && h.shape.AsSpan().SequenceEqual(x.shape)
            && norm.Weight.numel() == h.shape[^1];

    /// <summary>Applies the update.</summary>
    /// <param name="h">The stream, [..., d].</param>
    /// <param name="x">A branch's output, [..., d].</param>
    /// <param name="norm">The norm.</param>
    /// <returns>Shape [..., d].</returns>
    public static Tensor Apply(Tensor h, Tensor x, RmsNorm norm)
    {
        var output = BufferPool.Empty(h.shape);
        using (PhaseClock.Measure(Phase.FusedOperators))
        {
            var width = (int)h.shape[^1];
            var stream = TensorMemory.Floats(h);
            var update = TensorMemory.Floats(x);
            var gain = TensorMemory.Floats(norm.Weight);
            var to = TensorMemory.Floats(output);
            CpuTeam.For(h.numel() / width, RowsAtATime, (first, count) =>
            {
                CpuKernels.Instance.RmsNorm(
                    update + (first * width), gain, to + (first * width), count, width, (float)norm.Epsilon);
                CpuKernels.Instance.AddScaled(to + (first * width), stream + (first * width), 1, count * width);
            });
        }

        if (AutogradNode.IsNeeded(h, x, norm.Weight))
        {
            List<Tensor> saved = [AutogradNode.Save(x)];
            AutogradNode.Record([h, x, norm.Weight], output, saved, gradient => Backward(gradient, saved[0], norm));
        }

        return output;
    }

    private static List<Tensor?> Backward(Tensor gradient, Tensor x, RmsNorm norm)
    {
        using var timer = PhaseClock.Measure(Phase.FusedOperators);
        var width = (int)x.shape[^1];
        var (streamGradient, updateGradient) = (BufferPool.Empty(x.shape), BufferPool.Empty(x.shape));
        var target = new GradientTarget([norm.Weight]);
        using var sums = new ChannelSums(width);
        var g = TensorMemory.Floats(gradient);
        var update = TensorMemory.Floats(x);
        var gain = TensorMemory.Floats(norm.Weight);
        var dh = TensorMemory.Floats(streamGradient);
        var dx = TensorMemory.Floats(updateGradient);
        sums.Run(x.numel() / width, (first, count, partial) =>
        {
            var (offset, bytes) = (first * width, count * width * sizeof(float));
            // The kernel replaces the gradient that it reads, so it gets the copy and the stream's part is copied after
            // it.
            Buffer.MemoryCopy(g + offset, dh + offset, bytes, bytes);
            CpuKernels.Instance.RmsNormBackward(
                dh + offset, update + offset, gain, dx + offset, partial, count, width, (float)norm.Epsilon);
            Buffer.MemoryCopy(g + offset, dh + offset, bytes, bytes);
        });
        sums.AddTo(target.Pointer);
        return [streamGradient, updateGradient, .. target.Results()];
    }
}
