using AnTransformer.Models;
using static TorchSharp.torch;

namespace AnTransformer.Layers;

/// <summary>The three matrices of the SwiGLU MLP; how they are scaled is each architecture's own.</summary>
public sealed class GatedMlp : nn.Module
{
    /// <summary>Creates the projections with matrices of zeros.</summary>
    /// <param name="config">Widths.</param>
    /// <param name="context">Dtypes and device.</param>
    public GatedMlp(ModelConfig config, ModelContext context)
        : base(nameof(GatedMlp))
    {
        GateProj = new Projection(config.HiddenSize, config.IntermediateSize, context);
        UpProj = new Projection(config.HiddenSize, config.IntermediateSize, context);
        DownProj = new Projection(config.IntermediateSize, config.HiddenSize, context);
        register_module("gate_proj", GateProj);
        register_module("up_proj", UpProj);
        register_module("down_proj", DownProj);
    }

    /// <summary>W_g, [f, d].</summary>
    public Projection GateProj { get; }

    /// <summary>W_u, [f, d].</summary>
    public Projection UpProj { get; }

    /// <summary>W_d, [d, f].</summary>
    public Projection DownProj { get; }
}
