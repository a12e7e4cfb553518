using AnTransformer.Kernels;
using AnTransformer.Kernels.Cpu;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Operators;

/// <summary>
/// A bounded function in the place of a normalization layer: γ ⊙ tanh(αx) + β (DyT, arXiv 2503.10622) or γ ⊙ erf(αx + s) + β (Derf,
/// arXiv 2512.10938), with one α and one s for all channels.
/// </summary>
public sealed unsafe class DynamicSquash : nn.Module<Tensor, Tensor>
{
    private readonly Squashing _function;
    private readonly ReparameterizedScale _alpha;
    private readonly Parameter? _shift;

    private DynamicSquash(string name, Squashing function, long size, ReparameterizedScale alpha, Parameter? shift, ModelContext context)
        : base(name)
    {
        _function = function;
        _alpha = alpha;
        _shift = shift;
        Weight = context.Parameter(size);
        Bias = context.Parameter(size);
        using var noGrad = no_grad();
        torch.nn.init.ones_(Weight);
        register_parameter("weight", Weight);
        register_parameter("bias", Bias);
        register_parameter("alpha", alpha.Stored);
        if (shift is not null)
            register_parameter("shift", shift);
    }

    /// <summary>γ, [n], from ones.</summary>
    public Parameter Weight { get; }

    /// <summary>β, [n], from zeros.</summary>
    public Parameter Bias { get; }

    /// <summary>γ ⊙ tanh(αx) + β.</summary>
    /// <param name="size">Width n of the last dimension.</param>
    /// <param name="alpha">Start and speed of α.</param>
    /// <param name="context">Dtypes and device.</param>
    internal static DynamicSquash Tanh(long size, Configuration.ScaleInit alpha, ModelContext context)
        => new(nameof(Tanh), Squashing.Tanh, size, new ReparameterizedScale(1, alpha, context), shift: null, context);

    /// <summary>γ ⊙ erf(αx + s) + β, s from 0.</summary>
    /// <param name="size">Width n of the last dimension.</param>
    /// <param name="alpha">Start and speed of α.</param>
    /// <param name="context">Dtypes and device.</param>
    internal static DynamicSquash Erf(long size, Configuration.ScaleInit alpha, ModelContext context)
        => new(nameof(Erf), Squashing.Erf, size, new ReparameterizedScale(1, alpha, context), context.Parameter(1), context);

    /// <summary>Applies the function.</summary>
    /// <param name="input">Shape [..., n].</param>
    /// <returns>Shape [..., n] in the master dtype.</returns>
    public override Tensor forward(Tensor input)
    {
        if (!FusedKernels.FitCpu(input, Weight, Bias, _alpha.Stored, _shift) || Weight.numel() != input.shape[^1])
            return Eager(input);
        var output = BufferPool.Empty(input.shape);
        var width = (int)input.shape[^1];
        var (a, s) = (Slope, Shift);
        using (PhaseClock.Measure(Phase.FusedOperators))
        {
            var x = TensorMemory.Floats(input);
            var y = TensorMemory.Floats(output);
            var gain = TensorMemory.Floats(Weight);
            var bias = TensorMemory.Floats(Bias);
            CpuTeam.For(input.numel() / width, 16, (first, count) => CpuKernels.Instance.Squash(
                _function, x + (first * width), a, s, gain, bias, y + (first * width), count, width));
        }

        Tensor[] inputs = _shift is null ? [input, Weight, Bias, _alpha.Stored] : [input, Weight, Bias, _alpha.Stored, _shift];
        if (AutogradNode.IsNeeded(inputs))
        {
            List<Tensor> saved = [AutogradNode.Save(input)];
            AutogradNode.Record(inputs, output, saved, gradient => Backward(gradient, saved[0]));
        }

        return output;
    }

    private float Slope => (float)(TensorMemory.Floats(_alpha.Stored)[0] * _alpha.ToValue);

    private float Shift => _shift is null ? 0 : TensorMemory.Floats(_shift)[0];

    private Tensor Eager(Tensor input)
    {
        using var scope = NewDisposeScope();
        var z = input * _alpha.Value();
        var squashed = _function == Squashing.Tanh ? z.tanh() : (z + _shift!).erf();
        return ((squashed * Weight) + Bias).MoveToOuterDisposeScope();
    }

    private List<Tensor?> Backward(Tensor gradient, Tensor input)
    {
        using var timer = PhaseClock.Measure(Phase.FusedOperators);
        var width = (int)input.shape[^1];
        var inputGradient = BufferPool.Empty(input.shape);
        // Sums of a channel's γ, of its β, and after all channels of α and s.
        using var sums = new ChannelSums((2L * width) + 2);
        var (a, s) = (Slope, Shift);
        var dy = TensorMemory.Floats(gradient);
        var x = TensorMemory.Floats(input);
        var gain = TensorMemory.Floats(Weight);
        var dx = TensorMemory.Floats(inputGradient);
        sums.Run(input.numel() / width, (first, count, partial) => CpuKernels.Instance.SquashBackward(
            _function, dy + (first * width), x + (first * width), a, s, gain, dx + (first * width),
            partial, partial + width, partial + (2 * width), partial + (2 * width) + 1, count, width));

        using var total = BufferPool.Rent((2L * width) + 2);
        var values = new Span<float>(total.Pointer, (2 * width) + 2);
        values.Clear();
        sums.AddTo(total.Pointer);
        List<Tensor?> gradients = [inputGradient];
        Add(gradients, Weight, values[..width]);
        Add(gradients, Bias, values.Slice(width, width));
        values[2 * width] *= (float)_alpha.ToValue;
        Add(gradients, _alpha.Stored, values.Slice(2 * width, 1));
        if (_shift is not null)
            Add(gradients, _shift, values.Slice((2 * width) + 1, 1));
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
