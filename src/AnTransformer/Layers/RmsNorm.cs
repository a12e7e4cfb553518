using AnTransformer.Normalization;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Layers;

/// <summary>RMSNorm with gain over the last dimension: gain ⊙ x / √(mean(x²) + ε).</summary>
public sealed class RmsNorm : nn.Module<Tensor, Tensor>
{
    private readonly double _epsilon;

    /// <summary>Creates the layer with a gain of ones.</summary>
    /// <param name="size">Width of the last dimension.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="context">Dtypes and device.</param>
    public RmsNorm(long size, double epsilon, ModelContext context)
        : base(nameof(RmsNorm))
    {
        _epsilon = epsilon;
        Weight = new Parameter(ones([size], dtype: context.MasterDtype, device: context.Device));
        register_parameter("weight", Weight);
    }

    /// <summary>The gain, [n].</summary>
    public Parameter Weight { get; }

    /// <summary>Normalizes.</summary>
    /// <param name="input">Shape [..., n].</param>
    /// <returns>Shape [..., n] in the master dtype.</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return (Norms.Rms(input, _epsilon) * Weight).MoveToOuterDisposeScope();
    }
}
