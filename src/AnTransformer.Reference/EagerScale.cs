using AnTransformer.Configuration;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Reference;

/// <summary>
/// A learned scale s = ŝ · s_init / s_scale, of which ŝ is stored. The module that owns it registers ŝ.
/// </summary>
internal sealed class EagerScale(long size, ScaleInit init, EagerPrecision precision)
{
    /// <summary>ŝ, [n].</summary>
    public Parameter Stored { get; } = precision.Parameter(size, init.Scale);

    /// <summary>factor · s, [n].</summary>
    public Tensor Value(double factor = 1) => Stored * (factor * init.Init / init.Scale);
}
