using AnTransformer.Configuration;
using AnTransformer.Layers;
using AnTransformer.Operators;
using static TorchSharp.torch;

namespace AnTransformer.Architectures;

/// <summary>
/// nGPT (arXiv 2410.01131): the stream, every block's output, queries and keys are divided by their measured norms, and
/// every matrix is normalized along the model dimension: rows of E, W_head, W_q, W_k, W_v, W_u, W_g; columns of W_o,
/// W_d.
/// </summary>
public sealed class NGpt : LanguageModel
{
    /// <summary>Creates the model with matrices of zeros.</summary>
    /// <param name="config">Shape; must be valid.</param>
    /// <param name="context">Dtypes and device.</param>
    public NGpt(ModelConfig config, ModelContext context)
        : base(nameof(NGpt), config, context, own => new Block(config, own))
    {
        LogitScale = new ReparameterizedScale(config.VocabSize, config.LogitScale, Context);
        register_parameter("logit_scale", LogitScale.Stored);
    }

    /// <inheritdoc/>
    protected override int OutputVectorDimension => 0;

    /// <inheritdoc/>
    protected override ReparameterizedScale LogitScale { get; }

    /// <inheritdoc/>
    protected override LinearInput HeadInput(Tensor h) => h;

    /// <inheritdoc/>
    protected override double InitialDeviation(bool isOutput) => 1 / Math.Sqrt(Config.HiddenSize);

    /// <summary>The blocks without embedding and head.</summary>
    internal static EncoderDesign EncoderOf(ModelConfig config) => new(
        own => new Block(config, own), _ => 1 / Math.Sqrt(config.HiddenSize), StartsOnSphere: true,
        OutputVectorDimension: 0);

    /// <inheritdoc/>
    protected override void FinishInitialization() => Constrain(RowConstraint.Exact);

    private sealed class Block : TransformerBlock
    {
        private readonly ModelContext _context;
        private readonly ReparameterizedScale _attentionAlpha;
        private readonly ReparameterizedScale _mlpAlpha;
        private readonly ReparameterizedScale _upScale;
        private readonly ReparameterizedScale _gateScale;
        private readonly QueryKeyNormalization _queryKeyNorm;
        private readonly double _softmaxScale;
        private readonly double _gateFactor;

        public Block(ModelConfig config, ModelContext context)
            : base(nameof(Block), config, context)
        {
            _context = context;
            _softmaxScale = Math.Sqrt(config.HeadSize);
            _gateFactor = Math.Sqrt(config.HiddenSize);
            _attentionAlpha = new ReparameterizedScale(config.HiddenSize, config.Alpha, context);
            _mlpAlpha = new ReparameterizedScale(config.HiddenSize, config.Alpha, context);
            var queryKeyScale = new ReparameterizedScale(config.Attention.KeyValueWidth, config.QkScale, context);
            _queryKeyNorm = QueryKeyNormalization.Scaled(queryKeyScale, config.QkNorm);
            _gateScale = new ReparameterizedScale(config.IntermediateSize, config.MlpScale, context);
            _upScale = new ReparameterizedScale(config.IntermediateSize, config.MlpScale, context);
            register_parameter("attn_alpha", _attentionAlpha.Stored);
            register_parameter("mlp_alpha", _mlpAlpha.Stored);
            SelfAttention.register_parameter("qk_scale", queryKeyScale.Stored);
            Mlp.register_parameter("up_scale", _upScale.Stored);
            Mlp.register_parameter("gate_scale", _gateScale.Stored);
        }

        public override Tensor forward(
            Tensor h, RotaryEmbedding rotary, long start, LayerCache? cache, LayerObserver? observer = null)
        {
            using var scope = NewDisposeScope();

            // q, k ← s_qk ⊙ L2(RoPE(W h));  h ← L2(h + |α_A| ⊙ (L2(W_o · attention) − h))
            var qkv = SelfAttention.QkvProj.Forward(h);
            var y = SelfAttention.Attend(qkv, _queryKeyNorm, _softmaxScale, rotary, start, cache);
            var attended = SelfAttention.OProj.forward(y);
            observer?.Attention(h, qkv, y, attended);
            h = _context.Operators.SphereUpdate(h, attended, _attentionAlpha);

            // up ← s_u ⊙ W_u h;  gate ← √d · s_g ⊙ W_g h;  h ← L2(h + |α_M| ⊙ (L2(W_d · (up ⊙ SiLU(gate))) − h))
            var gateUp = Mlp.GateUpProj.Forward(h, [(_gateScale, _gateFactor), (_upScale, 1)]);
            var m = new GatedInput(gateUp);
            var output = Mlp.DownProj.forward(m);
            observer?.Mlp(h, h, gateUp, m, output);
            return _context.Operators.SphereUpdate(h, output, _mlpAlpha).MoveToOuterDisposeScope();
        }
    }
}
