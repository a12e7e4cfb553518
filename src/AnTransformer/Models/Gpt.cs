using AnTransformer.Generation;
using AnTransformer.Layers;
using static TorchSharp.torch;

namespace AnTransformer.Models;

/// <summary>
/// GPT (the Llama block: RMSNorm with gain before attention, MLP and head, plain residual sums) and, with
/// <see cref="ModelConfig.QkNorm"/>, GPT+ (the Qwen3 block: RMSNorm with gain on every head's query and key, before RoPE).
/// </summary>
public sealed class Gpt : LanguageModel
{
    private readonly RmsNorm _norm;

    /// <summary>Creates the model with matrices of zeros.</summary>
    /// <param name="config">Shape; must be valid.</param>
    /// <param name="context">Dtypes and device.</param>
    public Gpt(ModelConfig config, ModelContext context)
        : base(nameof(Gpt), config, context, () => new Block(config, context))
    {
        _norm = new RmsNorm(config.HiddenSize, config.RmsNormEps, context);
        Decoder.With("norm", _norm);
    }

    /// <inheritdoc/>
    protected override Tensor Logits(Tensor h) => Context.ToMaster(Head.forward(_norm.forward(h)));

    /// <inheritdoc/>
    protected override double InitialDeviation(bool isOutput)
        => 1 / Math.Sqrt(Config.HiddenSize) / (isOutput ? Math.Sqrt(2 * Config.NumHiddenLayers) : 1);

    private sealed class Block : TransformerBlock
    {
        private readonly RmsNorm _inputNorm;
        private readonly RmsNorm _postAttentionNorm;
        private readonly RmsNorm? _queryNorm;
        private readonly RmsNorm? _keyNorm;
        private readonly double _softmaxScale;

        public Block(ModelConfig config, ModelContext context)
            : base(nameof(Block), config, context)
        {
            _softmaxScale = 1 / Math.Sqrt(config.HeadSize);
            _inputNorm = new RmsNorm(config.HiddenSize, config.RmsNormEps, context);
            _postAttentionNorm = new RmsNorm(config.HiddenSize, config.RmsNormEps, context);
            register_module("input_layernorm", _inputNorm);
            register_module("post_attention_layernorm", _postAttentionNorm);
            if (config.QkNorm)
            {
                _queryNorm = new RmsNorm(config.HeadSize, config.RmsNormEps, context);
                _keyNorm = new RmsNorm(config.HeadSize, config.RmsNormEps, context);
                SelfAttention.register_module("q_norm", _queryNorm);
                SelfAttention.register_module("k_norm", _keyNorm);
            }
        }

        public override Tensor forward(Tensor h, RotaryEmbedding rotary, long start, LayerCache? cache)
        {
            using var scope = NewDisposeScope();

            // h ← h + W_o · attention(RMSNorm(h))
            var (q, k, v) = SelfAttention.QueryKeyValue(_inputNorm.forward(h));
            if (_queryNorm is not null && _keyNorm is not null)
                (q, k) = (_queryNorm.forward(q), _keyNorm.forward(k));
            (q, k) = (rotary.Rotate(q, start), rotary.Rotate(k, start));
            var y = SelfAttention.Attend(q, k, v, _softmaxScale, cache);
            h = h + SelfAttention.OProj.forward(y);

            // h ← h + W_d · (W_u x ⊙ SiLU(W_g x)),  x = RMSNorm(h)
            var x = _postAttentionNorm.forward(h);
            var m = Mlp.UpProj.forward(x) * nn.functional.silu(Mlp.GateProj.forward(x));
            return (h + Mlp.DownProj.forward(m)).MoveToOuterDisposeScope();
        }
    }
}
