using AnTransformer.Configuration;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Operators;

/// <summary>
/// A learned scale s stored as ŝ and used as s = ŝ · s_init / s_scale (nGPT, section 2.5). The parameter is registered
/// by the module that owns the scale, under the name it has in checkpoints.
/// </summary>
public sealed class ReparameterizedScale
{
    /// <summary>Creates a scale that starts at <c>init.Init</c>.</summary>
    /// <param name="size">Number of channels.</param>
    /// <param name="init">s_init and s_scale.</param>
    /// <param name="context">Dtypes and device.</param>
    public ReparameterizedScale(long size, ScaleInit init, ModelContext context)
    {
        ToValue = init.Init / init.Scale;
        Stored = context.Parameter(size);
        using var noGrad = no_grad();
        torch.nn.init.constant_(Stored, init.Scale);
    }

    /// <summary>ŝ, [n].</summary>
    public Parameter Stored { get; }

    /// <summary>s_init / s_scale.</summary>
    public double ToValue { get; }

    /// <summary>s, [n], in the graph.</summary>
    public Tensor Value() => Stored * ToValue;
}
