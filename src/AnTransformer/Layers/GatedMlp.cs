using AnTransformer.Configuration;
using AnTransformer.Operators;
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
        GateUpProj = new ProjectionGroup(
            config.HiddenSize, [config.IntermediateSize, config.IntermediateSize], context);
        DownProj = new Projection(config.IntermediateSize, config.HiddenSize, context);
        register_module("gate_proj", GateProj);
        register_module("up_proj", UpProj);
        register_module("down_proj", DownProj);
    }

    /// <summary>W_g and W_u as one map, [2f, d].</summary>
    public ProjectionGroup GateUpProj { get; }

    /// <summary>W_g, [f, d].</summary>
    public Projection GateProj => GateUpProj.Parts[0];

    /// <summary>W_u, [f, d].</summary>
    public Projection UpProj => GateUpProj.Parts[1];

    /// <summary>W_d, [d, f].</summary>
    public Projection DownProj { get; }
}
