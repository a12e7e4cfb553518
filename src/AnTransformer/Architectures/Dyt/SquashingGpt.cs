using AnTransformer.Configuration;
using AnTransformer.Layers;
using AnTransformer.Operators;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Architectures;

/// <summary>
/// GPT with a bounded function of every channel in the place of its normalization layers (arXiv 2503.10622, arXiv
/// 2512.10938), and one learned factor behind the embedding, from √d, without which a bounded function of small numbers
/// would leave them small.
/// </summary>
public sealed class SquashingGpt : LanguageModel
{
    private readonly Parameter _embedScale;
    private readonly DynamicSquash _norm;

    /// <summary>Creates the model with matrices of zeros.</summary>
    /// <param name="name">Name of the architecture.</param>
    /// <param name="config">Shape; must be valid.</param>
    /// <param name="context">Dtypes and device.</param>
    /// <param name="createNorm">Makes what stands in the place of a normalization layer.</param>
    public SquashingGpt(
        string name, ModelConfig config, ModelContext context, Func<ModelContext, DynamicSquash> createNorm)
        : base(name, config, context, own => new Block(config, own, createNorm))
    {
        _norm = createNorm(Context);
        _embedScale = Context.Parameter(1);
        using var noGrad = no_grad();
        _embedScale.fill_(Math.Sqrt(config.HiddenSize));
        Decoder.With("norm", _norm);
        Decoder.register_parameter("embed_scale", _embedScale);
    }

    /// <inheritdoc/>
    protected override Tensor ScaleEmbedding(Tensor embedded)
    {
        using (embedded)
            return embedded * _embedScale;
    }

    /// <inheritdoc/>
    protected override LinearInput HeadInput(Tensor h) => _norm.forward(h);

    /// <inheritdoc/>
    protected override double InitialDeviation(bool isOutput) => Deviation(Config, isOutput);

    /// <summary>The blocks without embedding and head; whoever makes their input gives it entries of about 1.</summary>
    internal static EncoderDesign EncoderOf(ModelConfig config, Func<ModelContext, DynamicSquash> createNorm) => new(
        own => new Block(config, own, createNorm), isOutput => Deviation(config, isOutput), CreateNorm: createNorm);

    private static double Deviation(ModelConfig config, bool isOutput)
        => 1 / Math.Sqrt(config.HiddenSize) / (isOutput ? Math.Sqrt(2 * config.NumHiddenLayers) : 1);

    private sealed class Block : TransformerBlock
    {
        private readonly DynamicSquash _inputNorm;
        private readonly DynamicSquash _postAttentionNorm;
        private readonly QueryKeyNormalization _queryKeyNorm = QueryKeyNormalization.None;
        private readonly double _softmaxScale;

        public Block(ModelConfig config, ModelContext context, Func<ModelContext, DynamicSquash> createNorm)
            : base(nameof(Block), config, context)
        {
            _softmaxScale = 1 / Math.Sqrt(config.HeadSize);
            _inputNorm = createNorm(context);
            _postAttentionNorm = createNorm(context);
            register_module("input_layernorm", _inputNorm);
            register_module("post_attention_layernorm", _postAttentionNorm);
            if (config.QkNorm)
                _queryKeyNorm = SelfAttention.AddRmsQueryKeyNorm(config, context);
        }

        public override Tensor forward(
            Tensor h, RotaryEmbedding rotary, long start, LayerCache? cache, LayerObserver? observer = null)
        {
            using var scope = NewDisposeScope();

            // h ← h + W_o · attention(f(h)),  f(h) = γ ⊙ tanh(αh) + β or γ ⊙ erf(αh + s) + β
            var x = _inputNorm.forward(h);
            var qkv = SelfAttention.QkvProj.Forward(x);
            var y = SelfAttention.Attend(qkv, _queryKeyNorm, _softmaxScale, rotary, start, cache);
            observer?.Attention(x, qkv, y, SelfAttention.OProj.forward(y));
            h = SelfAttention.OProj.AddTo(h, y);

            // h ← h + W_d · (W_u x ⊙ SiLU(W_g x)),  x = f(h)
            x = _postAttentionNorm.forward(h);
            var gateUp = Mlp.GateUpProj.Forward(x);
            var m = new GatedInput(gateUp);
            observer?.Mlp(h, x, gateUp, m, Mlp.DownProj.forward(m));
            return Mlp.DownProj.AddTo(h, m).MoveToOuterDisposeScope();
        }
    }
}
