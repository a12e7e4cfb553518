using AnTransformer.Configuration;
using static TorchSharp.torch;

namespace AnTransformer.Reference;

/// <summary>A block's attention and MLP; each architecture derives the block that normalizes around them.</summary>
internal abstract class EagerBlock : nn.Module
{
    protected EagerBlock(string name, ModelConfig config, EagerPrecision precision)
        : base(name)
    {
        Precision = precision;
        Attention = new EagerAttention(config, precision);
        Mlp = new EagerMlp(config, precision);
        register_module("self_attn", Attention);
        register_module("mlp", Mlp);
    }

    protected EagerPrecision Precision { get; }

    protected EagerAttention Attention { get; }

    protected EagerMlp Mlp { get; }

    /// <summary>One block: [B, T, d] to [B, T, d] in the master dtype.</summary>
    public abstract Tensor forward(Tensor h, Tensor cos, Tensor sin);

    /// <summary>
    /// Turns channel i with channel i + d_h/2 by the position's angle: [B, H, T, d_h] to the same, in the master dtype.
    /// </summary>
    protected Tensor Rotate(Tensor x, Tensor cos, Tensor sin)
    {
        var halves = Precision.ToMaster(x).chunk(2, -1);
        return cat([(halves[0] * cos) - (halves[1] * sin), (halves[1] * cos) + (halves[0] * sin)], -1);
    }

    /// <summary>x / ‖x‖ over the last dimension, in the master dtype.</summary>
    protected Tensor Normalize(Tensor x) => nn.functional.normalize(Precision.ToMaster(x), p: 2, dim: -1);
}
