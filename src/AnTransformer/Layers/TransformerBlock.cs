using AnTransformer.Configuration;
using AnTransformer.Operators;
using static TorchSharp.torch;

namespace AnTransformer.Layers;

/// <summary>The parts every architecture's block has: attention, MLP, and nothing else.</summary>
public abstract class TransformerBlock : nn.Module
{
    /// <summary>Creates attention and MLP with matrices of zeros.</summary>
    /// <param name="name">Class name.</param>
    /// <param name="config">Widths.</param>
    /// <param name="context">Dtypes and device.</param>
    protected TransformerBlock(string name, ModelConfig config, ModelContext context)
        : base(name)
    {
        SelfAttention = new SelfAttention(config, context);
        Mlp = new GatedMlp(config, context);
        register_module("self_attn", SelfAttention);
        register_module("mlp", Mlp);
    }

    /// <summary>Attention's projections.</summary>
    public SelfAttention SelfAttention { get; }

    /// <summary>The MLP's projections.</summary>
    public GatedMlp Mlp { get; }

    /// <summary>One block.</summary>
    /// <param name="h">The residual stream, [B, T, d], in the master dtype.</param>
    /// <param name="rotary">Positions.</param>
    /// <param name="start">Position of the first of the T tokens.</param>
    /// <param name="cache">This block's keys and values of earlier tokens, or null.</param>
    /// <param name="observer">Hears of the values on the way; null for nobody.</param>
    /// <returns>The stream after the block, [B, T, d], in the master dtype.</returns>
    public abstract Tensor forward(
        Tensor h, RotaryEmbedding rotary, long start, LayerCache? cache, LayerObserver? observer = null);
}
