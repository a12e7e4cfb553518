using AnTransformer.Kernels;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Operators;

/// <summary>
/// A bounded function in the place of a normalization layer: γ ⊙ tanh(αx) + β (DyT, arXiv 2503.10622) or γ ⊙ erf(αx +
/// s) + β (Derf, arXiv 2512.10938), with one α and one s for all channels.
/// </summary>
public sealed class DynamicSquash : nn.Module<Tensor, Tensor>
{
    private readonly ModelContext _context;

    private DynamicSquash(
        string name, Squashing function, long size, ReparameterizedScale alpha, Parameter? shift, ModelContext context)
        : base(name)
    {
        _context = context;
        (Function, Alpha, Shift) = (function, alpha, shift);
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

    /// <summary>tanh or erf.</summary>
    internal Squashing Function { get; }

    /// <summary>α, [1].</summary>
    internal ReparameterizedScale Alpha { get; }

    /// <summary>s, [1]; null for none.</summary>
    public Parameter? Shift { get; }

    /// <summary>γ ⊙ tanh(αx) + β.</summary>
    /// <param name="size">Width n of the last dimension.</param>
    /// <param name="alpha">Start and speed of α.</param>
    /// <param name="context">Dtypes and device.</param>
    public static DynamicSquash Tanh(long size, Configuration.ScaleInit alpha, ModelContext context)
        => new(nameof(Tanh), Squashing.Tanh, size, new ReparameterizedScale(1, alpha, context), shift: null, context);

    /// <summary>γ ⊙ erf(αx + s) + β, s from 0.</summary>
    /// <param name="size">Width n of the last dimension.</param>
    /// <param name="alpha">Start and speed of α.</param>
    /// <param name="context">Dtypes and device.</param>
    public static DynamicSquash Erf(long size, Configuration.ScaleInit alpha, ModelContext context)
        => new(
            nameof(Erf), Squashing.Erf, size, new ReparameterizedScale(1, alpha, context), context.Parameter(1),
            context);

    /// <summary>Applies the function.</summary>
    /// <param name="input">Shape [..., n].</param>
    /// <returns>Shape [..., n] in the master dtype.</returns>
    public override Tensor forward(Tensor input) => _context.Operators.Squash(this, input);
}
