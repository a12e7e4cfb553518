using AnTransformer.Generation;
using AnTransformer.Layers;
using AnTransformer.Normalization;
using static TorchSharp.torch;

namespace AnTransformer.Models;

/// <summary>
/// nGPT (arXiv 2410.01131): the stream, every block's output, queries and keys are divided by their measured norms, and every
/// matrix is normalized along the model dimension: rows of E, W_head, W_q, W_k, W_v, W_u, W_g; columns of W_o, W_d.
/// </summary>
public sealed class NGpt : LanguageModel
{
    private readonly ReparameterizedScale _logitScale;

    /// <summary>Creates the model with matrices of zeros.</summary>
    /// <param name="config">Shape; must be valid.</param>
    /// <param name="context">Dtypes and device.</param>
    public NGpt(ModelConfig config, ModelContext context)
        : base(nameof(NGpt), config, context, () => new Block(config, context))
    {
        _logitScale = new ReparameterizedScale(config.VocabSize, config.LogitScale, context);
        register_parameter("logit_scale", _logitScale.Stored);
    }

    /// <inheritdoc/>
    protected override int OutputVectorDimension => 0;

    /// <inheritdoc/>
    protected override Tensor Logits(Tensor h) => _logitScale.Value() * Head.forward(h);

    /// <inheritdoc/>
    protected override double InitialDeviation(bool isOutput) => 1 / Math.Sqrt(Config.HiddenSize);

    /// <inheritdoc/>
    protected override void FinishInitialization() => Constrain(RowConstraint.Exact);

    private sealed class Block : TransformerBlock
    {
        private readonly ReparameterizedScale _attentionAlpha;
        private readonly ReparameterizedScale _mlpAlpha;
        private readonly ReparameterizedScale _queryKeyScale;
        private readonly ReparameterizedScale _upScale;
        private readonly ReparameterizedScale _gateScale;
        private readonly bool _queryKeyNorm;
        private readonly long _heads;
        private readonly double _softmaxScale;
        private readonly double _gateFactor;

        public Block(ModelConfig config, ModelContext context)
            : base(nameof(Block), config, context)
        {
            _queryKeyNorm = config.QkNorm;
            _heads = config.NumAttentionHeads;
            _softmaxScale = Math.Sqrt(config.HeadSize);
            _gateFactor = Math.Sqrt(config.HiddenSize);
            _attentionAlpha = new ReparameterizedScale(config.HiddenSize, config.Alpha, context);
            _mlpAlpha = new ReparameterizedScale(config.HiddenSize, config.Alpha, context);
            _queryKeyScale = new ReparameterizedScale(config.HiddenSize, config.QkScale, context);
            _upScale = new ReparameterizedScale(config.IntermediateSize, config.MlpScale, context);
            _gateScale = new ReparameterizedScale(config.IntermediateSize, config.MlpScale, context);
            register_parameter("attn_alpha", _attentionAlpha.Stored);
            register_parameter("mlp_alpha", _mlpAlpha.Stored);
            SelfAttention.register_parameter("qk_scale", _queryKeyScale.Stored);
            Mlp.register_parameter("up_scale", _upScale.Stored);
            Mlp.register_parameter("gate_scale", _gateScale.Stored);
        }

        public override Tensor forward(Tensor h, RotaryEmbedding rotary, long start, LayerCache? cache)
        {
            using var scope = NewDisposeScope();

            // q, k ← s_qk ⊙ L2(RoPE(W h));  h ← L2(h + |α_A| ⊙ (L2(W_o · attention) − h))
            var (q, k, v) = SelfAttention.QueryKeyValue(h);
            (q, k) = (rotary.Rotate(q, start), rotary.Rotate(k, start));
            if (_queryKeyNorm)
                (q, k) = (Norms.L2(q), Norms.L2(k));
            var scale = _queryKeyScale.Value().view(_heads, 1, -1);
            var y = SelfAttention.Attend(q * scale, k * scale, v, _softmaxScale, cache);
            h = Update(h, SelfAttention.OProj.forward(y), _attentionAlpha);

            // up ← s_u ⊙ W_u h;  gate ← √d · s_g ⊙ W_g h;  h ← L2(h + |α_M| ⊙ (L2(W_d · (up ⊙ SiLU(gate))) − h))
            var up = _upScale.Value() * Mlp.UpProj.forward(h);
            var gate = (_gateScale.Value() * _gateFactor) * Mlp.GateProj.forward(h);
            return Update(h, Mlp.DownProj.forward(up * nn.functional.silu(gate)), _mlpAlpha).MoveToOuterDisposeScope();
        }

        private static Tensor Update(Tensor h, Tensor output, ReparameterizedScale alpha)
            => Norms.L2(h + (alpha.Value().abs() * (Norms.L2(output) - h)));
    }
}
