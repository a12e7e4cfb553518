using AnTransformer.Kernels;
using AnTransformer.Kernels.Cpu;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Operators;

/// <summary><see cref="DynamicSquash"/> in one pass each way on the CPU.</summary>
internal static unsafe class SquashOperator
{
    /// <summary>Whether the kernels can take it.</summary>
    public static bool Fits(DynamicSquash squash, Tensor input)
        => FusedKernels.ArePlain(input, squash.Weight, squash.Bias, squash.Alpha.Stored, squash.Shift)
            && squash.Weight.numel() == input.shape[^1];

    /// <summary>Applies the function.</summary>
    /// <param name="squash">The function and its parameters.</param>
    /// <param name="input">Shape [..., n].</param>
    /// <returns>Shape [..., n].</returns>
    public static Tensor Apply(DynamicSquash squash, Tensor input)
    {
        var output = BufferPool.Empty(input.shape);
        var width = (int)input.shape[^1];
        var function = squash.Function;
        var (a, s) = (Slope(squash), Offset(squash));
        using (PhaseClock.Measure(Phase.FusedOperators))
        {
            var x = TensorMemory.Floats(input);
            var y = TensorMemory.Floats(output);
            var gain = TensorMemory.Floats(squash.Weight);
            var bias = TensorMemory.Floats(squash.Bias);
            CpuTeam.For(input.numel() / width, 16, (first, count) => CpuKernels.Instance.Squash(
                function, x + (first * width), a, s, gain, bias, y + (first * width), count, width));
        }

        Tensor[] inputs = squash.Shift is null
            ? [input, squash.Weight, squash.Bias, squash.Alpha.Stored]
            : [input, squash.Weight, squash.Bias, squash.Alpha.Stored, squash.Shift];
        if (AutogradNode.IsNeeded(inputs))
        {
            List<Tensor> saved = [AutogradNode.Save(input)];
            AutogradNode.Record(inputs, output, saved, gradient => Backward(gradient, saved[0], squash));
        }

        return output;
    }

    private static float Slope(DynamicSquash squash)
        => (float)(TensorMemory.Floats(squash.Alpha.Stored)[0] * squash.Alpha.ToValue);

    private static float Offset(DynamicSquash squash)
        => squash.Shift is null ? 0 : TensorMemory.Floats(squash.Shift)[0];

    private static List<Tensor?> Backward(Tensor gradient, Tensor input, DynamicSquash squash)
    {
        using var timer = PhaseClock.Measure(Phase.FusedOperators);
        var width = (int)input.shape[^1];
        var inputGradient = BufferPool.Empty(input.shape);
        // Sums of a channel's γ, of its β, and after all channels of α and s.
        using var sums = new ChannelSums((2L * width) + 2);
        var function = squash.Function;
        var (a, s) = (Slope(squash), Offset(squash));
        var dy = TensorMemory.Floats(gradient);
        var x = TensorMemory.Floats(input);
        var gain = TensorMemory.Floats(squash.Weight);
        var dx = TensorMemory.Floats(inputGradient);
        sums.Run(input.numel() / width, (first, count, partial) => CpuKernels.Instance.SquashBackward(
            function, dy + (first * width), x + (first * width), a, s, gain, dx + (first * width),
            partial, partial + width, partial + (2 * width), partial + (2 * width) + 1, count, width));

        using var total = BufferPool.Rent((2L * width) + 2);
        var values = new Span<float>(total.Pointer, (2 * width) + 2);
        values.Clear();
        sums.AddTo(total.Pointer);
        List<Tensor?> gradients = [inputGradient];
        Add(gradients, squash.Weight, values[..width]);
        Add(gradients, squash.Bias, values.Slice(width, width));
        values[2 * width] *= (float)squash.Alpha.ToValue;
        Add(gradients, squash.Alpha.Stored, values.Slice(2 * width, 1));
        if (squash.Shift is not null)
            Add(gradients, squash.Shift, values.Slice((2 * width) + 1, 1));
        return gradients;
    }

    private static void Add(List<Tensor?> gradients, Parameter parameter, ReadOnlySpan<float> values)
    {
        var target = new GradientTarget([parameter]);
        for (var i = 0; i < values.Length; i++)
            target.Pointer[i] += values[i];
        gradients.AddRange(target.Results());
    }
}
