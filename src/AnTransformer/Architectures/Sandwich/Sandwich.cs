using AnTransformer.Configuration;
using AnTransformer.Layers;
using AnTransformer.Operators;
using static TorchSharp.torch;

namespace AnTransformer.Architectures;

/// <summary>
/// GPT+ with a second RMSNorm in each residual branch, after attention and after the MLP (Gemma 2, arXiv 2408.00118,
/// section 2), so that every update of the stream has a learned size.
/// </summary>
public sealed class Sandwich : LanguageModel
{
    private readonly RmsNorm _norm;

    /// <summary>Creates the model with matrices of zeros.</summary>
    /// <param name="config">Shape; must be valid.</param>
    /// <param name="context">Dtypes and device.</param>
    public Sandwich(ModelConfig config, ModelContext context)
        : base(nameof(Sandwich), config, context, own => new Block(config, own))
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
        private readonly ModelContext _context;
        private readonly RmsNorm _inputNorm;
        private readonly RmsNorm _postAttentionNorm;
        private readonly RmsNorm _preMlpNorm;
        private readonly RmsNorm _postMlpNorm;
        private readonly QueryKeyNormalization _queryKeyNorm = QueryKeyNormalization.None;
        private readonly double _softmaxScale;

        public Block(ModelConfig config, ModelContext context)
            : base(nameof(Block), config, context)
        {
            _context = context;
            _softmaxScale = 1 / Math.Sqrt(config.HeadSize);
            _inputNorm = Norm("input_layernorm", config, context);
            _postAttentionNorm = Norm("post_attention_layernorm", config, context);
            _preMlpNorm = Norm("pre_feedforward_layernorm", config, context);
            _postMlpNorm = Norm("post_feedforward_layernorm", config, context);
            if (config.QkNorm)
                _queryKeyNorm = SelfAttention.AddRmsQueryKeyNorm(config, context);
        }

        public override Tensor forward(
            Tensor h, RotaryEmbedding rotary, long start, LayerCache? cache, LayerObserver? observer = null)
        {
            using var scope = NewDisposeScope();

            // h ← h + RMSNorm(W_o · attention(RMSNorm(h)))
            var x = _inputNorm.Of(h);
            var qkv = SelfAttention.QkvProj.Forward(x);
            var y = SelfAttention.Attend(qkv, _queryKeyNorm, _softmaxScale, rotary, start, cache);
            var a = SelfAttention.OProj.forward(y);
            observer?.Attention(x, qkv, y, a);
            h = _context.Operators.NormalizedSum(h, a, _postAttentionNorm);

            // h ← h + RMSNorm(W_d · (W_u x ⊙ SiLU(W_g x))),  x = RMSNorm(h)
            x = _preMlpNorm.Of(h);
            var gateUp = Mlp.GateUpProj.Forward(x);
            var m = new GatedInput(gateUp);
            var b = Mlp.DownProj.forward(m);
            observer?.Mlp(h, x, gateUp, m, b);
            return _context.Operators.NormalizedSum(h, b, _postMlpNorm).MoveToOuterDisposeScope();
        }

        private RmsNorm Norm(string name, ModelConfig config, ModelContext context)
        {
            var norm = new RmsNorm(config.HiddenSize, config.RmsNormEps, context);
            register_module(name, norm);
            return norm;
        }
    }
}
