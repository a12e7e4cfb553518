using AnTransformer.Configuration;
using AnTransformer.Layers;
using AnTransformer.Operators;
using static TorchSharp.torch;

namespace AnTransformer.Architectures;

/// <summary>
/// A trained anGPT with its constants and interpolations folded into its matrices (<see cref="Graphs.GraphFolding"/>):
/// blocks are plain sums, and the only normalization is that of queries and keys.
/// </summary>
public sealed class FoldedAnGpt : LanguageModel
{
    /// <summary>Creates the model with matrices of zeros.</summary>
    /// <param name="config">Shape; must be valid.</param>
    /// <param name="context">Dtypes and device.</param>
    public FoldedAnGpt(ModelConfig config, ModelContext context)
        : base(nameof(FoldedAnGpt), config, context, own => new Block(config, own))
    {
    }

    /// <inheritdoc/>
    protected override LinearInput HeadInput(Tensor h) => h;

    /// <inheritdoc/>
    protected override double InitialDeviation(bool isOutput) => 1 / Math.Sqrt(Config.HiddenSize);

    /// <summary>The blocks without embedding and head.</summary>
    internal static EncoderDesign EncoderOf(ModelConfig config)
        => new(own => new Block(config, own), _ => 1 / Math.Sqrt(config.HiddenSize));

    private sealed class Block : TransformerBlock
    {
        private readonly QueryKeyNormalization _queryKeyNorm;
        private readonly double _softmaxScale;

        public Block(ModelConfig config, ModelContext context)
            : base(nameof(Block), config, context)
        {
            _queryKeyNorm = config.QkNorm ? QueryKeyNormalization.L2 : QueryKeyNormalization.None;
            _softmaxScale = Math.Sqrt(config.HeadSize);
        }

        public override Tensor forward(
            Tensor h, RotaryEmbedding rotary, long start, LayerCache? cache, LayerObserver? observer = null)
        {
            using var scope = NewDisposeScope();

            // h ← h + W_o · attention(h),  q, k ← L2(RoPE(W h))
            var qkv = SelfAttention.QkvProj.Forward(h);
            var y = SelfAttention.Attend(qkv, _queryKeyNorm, _softmaxScale, rotary, start, cache);
            observer?.Attention(h, qkv, y, SelfAttention.OProj.forward(y));
            h = SelfAttention.OProj.AddTo(h, y);

            // h ← h + W_d · (W_u h ⊙ SiLU(W_g h))
            var gateUp = Mlp.GateUpProj.Forward(h);
            var m = new GatedInput(gateUp);
            observer?.Mlp(h, h, gateUp, m, Mlp.DownProj.forward(m));
            return Mlp.DownProj.AddTo(h, m).MoveToOuterDisposeScope();
        }
    }
}
