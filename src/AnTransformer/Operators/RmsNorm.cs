using AnTransformer.Normalization;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Operators;

/// <summary>RMSNorm with gain over the last dimension: gain ⊙ x / √(mean(x²) + ε).</summary>
public sealed class RmsNorm : nn.Module<Tensor, Tensor>
{
    /// <summary>Creates the layer with a gain of ones.</summary>
    /// <param name="size">Width of the last dimension.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="context">Dtypes and device.</param>
    public RmsNorm(long size, double epsilon, ModelContext context)
        : base(nameof(RmsNorm))
    {
        Epsilon = epsilon;
        Weight = context.Parameter(size);
        using var noGrad = no_grad();
        torch.nn.init.ones_(Weight);
        register_parameter("weight", Weight);
    }

    /// <summary>The gain, [n].</summary>
    public Parameter Weight { get; }

    /// <summary>ε.</summary>
    public double Epsilon { get; }

    /// <summary>The normalized tensor as a linear map's input, which then need not be in memory as a whole.</summary>
    /// <param name="input">Shape [..., n].</param>
    public NormalizedInput Of(Tensor input) => new(input, Weight, Epsilon);

    /// <summary>Normalizes.</summary>
    /// <param name="input">Shape [..., n].</param>
    /// <returns>Shape [..., n] in the master dtype.</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return (Norms.Rms(input, Epsilon) * Weight).MoveToOuterDisposeScope();
    }
}
