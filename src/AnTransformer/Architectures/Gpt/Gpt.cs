using AnTransformer.Configuration;
using AnTransformer.Layers;
using AnTransformer.Operators;
using static TorchSharp.torch;

namespace AnTransformer.Architectures;

/// <summary>
/// GPT (the Llama block: RMSNorm with gain before attention, MLP and head, plain residual sums) and, with
/// <see cref="ModelConfig.QkNorm"/>, GPT+ (the Qwen3 block: RMSNorm with gain on every head's query and key, before
/// RoPE).
/// </summary>
public sealed class Gpt : LanguageModel
{
    private readonly RmsNorm _norm;

    /// <summary>Creates the model with matrices of zeros.</summary>
    /// <param name="config">Shape; must be valid.</param>
    /// <param name="context">Dtypes and device.</param>
    public Gpt(ModelConfig config, ModelContext context)
        : base(nameof(Gpt), config, context, own => new Block(config, own))
    {
        _norm = new RmsNorm(config.HiddenSize, config.RmsNormEps, Context);
        Decoder.With("norm", _norm);
    }

    /// <inheritdoc/>
    protected override LinearInput HeadInput(Tensor h) => _norm.Of(h);

    /// <inheritdoc/>
    protected override double InitialDeviation(bool isOutput) => Deviation(Config, isOutput);

    /// <summary>The blocks without embedding and head.</summary>
    internal static EncoderDesign EncoderOf(ModelConfig config) => new(
        own => new Block(config, own),
        isOutput => Deviation(config, isOutput),
        CreateNorm: own => new RmsNorm(config.HiddenSize, config.RmsNormEps, own));

    private static double Deviation(ModelConfig config, bool isOutput)
        => 1 / Math.Sqrt(config.HiddenSize) / (isOutput ? Math.Sqrt(2 * config.NumHiddenLayers) : 1);

    private sealed class Block : TransformerBlock
    {
        private readonly RmsNorm _inputNorm;
        private readonly RmsNorm _postAttentionNorm;
        private readonly QueryKeyNormalization _queryKeyNorm = QueryKeyNormalization.None;
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
                _queryKeyNorm = SelfAttention.AddRmsQueryKeyNorm(config, context);
        }

        public override Tensor forward(
            Tensor h, RotaryEmbedding rotary, long start, LayerCache? cache, LayerObserver? observer = null)
        {
            using var scope = NewDisposeScope();

            // h ← h + W_o · attention(RMSNorm(h))
            var x = _inputNorm.Of(h);
            var qkv = SelfAttention.QkvProj.Forward(x);
            var y = SelfAttention.Attend(qkv, _queryKeyNorm, _softmaxScale, rotary, start, cache);
            observer?.Attention(x, qkv, y, SelfAttention.OProj.forward(y));
            h = SelfAttention.OProj.AddTo(h, y);

            // h ← h + W_d · (W_u x ⊙ SiLU(W_g x)),  x = RMSNorm(h)
            x = _postAttentionNorm.Of(h);
            var gateUp = Mlp.GateUpProj.Forward(x);
            var m = new GatedInput(gateUp);
            observer?.Mlp(h, x, gateUp, m, Mlp.DownProj.forward(m));
            return Mlp.DownProj.AddTo(h, m).MoveToOuterDisposeScope();
        }
    }
}
