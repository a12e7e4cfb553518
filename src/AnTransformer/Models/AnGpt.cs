using AnTransformer.Generation;
using AnTransformer.Layers;
using AnTransformer.Normalization;
using static TorchSharp.torch;

namespace AnTransformer.Models;

/// <summary>
/// anGPT, the approximately normalized transformer (arXiv 2505.22014): no norm of an activation is measured but that of queries
/// and keys. Every linear map, gate and residual update is multiplied by a constant ν (<see cref="NormalizationFactors"/>),
/// residual updates are interpolations, and the rows of every matrix stay inside the unit ball.
/// </summary>
public sealed class AnGpt : LanguageModel
{
    private readonly ReparameterizedScale _logitScale;

    /// <summary>Creates the model with matrices of zeros.</summary>
    /// <param name="config">Shape; must be valid.</param>
    /// <param name="context">Dtypes and device.</param>
    public AnGpt(ModelConfig config, ModelContext context)
        : base(nameof(AnGpt), config, context, () => new Block(config, context))
    {
        _logitScale = new ReparameterizedScale(config.VocabSize, config.LogitScale, context);
        register_parameter("logit_scale", _logitScale.Stored);
    }

    /// <inheritdoc/>
    protected override Tensor Logits(Tensor h) => _logitScale.Value() * Head.forward(h);

    /// <inheritdoc/>
    protected override double InitialDeviation(bool isOutput) => 1;

    /// <inheritdoc/>
    protected override void FinishInitialization() => Constrain(RowConstraint.Exact);

    private sealed class Block : TransformerBlock
    {
        private readonly NormalizationFactors _nu;
        private readonly ReparameterizedScale _attentionAlpha;
        private readonly ReparameterizedScale _mlpAlpha;
        private readonly bool _queryKeyNorm;
        private readonly double _softmaxScale;
        private readonly double _gateFactor;

        public Block(ModelConfig config, ModelContext context)
            : base(nameof(Block), config, context)
        {
            _nu = NormalizationFactors.For(config);
            _queryKeyNorm = config.QkNorm;
            _softmaxScale = Math.Sqrt(config.HeadSize);
            _gateFactor = Math.Sqrt(config.HiddenSize);
            _attentionAlpha = new ReparameterizedScale(config.HiddenSize, config.Alpha, context);
            _mlpAlpha = new ReparameterizedScale(config.HiddenSize, config.Alpha, context);
            register_parameter("attn_alpha", _attentionAlpha.Stored);
            register_parameter("mlp_alpha", _mlpAlpha.Stored);
        }

        public override Tensor forward(Tensor h, RotaryEmbedding rotary, long start, LayerCache? cache)
        {
            using var scope = NewDisposeScope();

            // q, k, v ← ν_qkv · W_{q,k,v} h;  q, k ← L2(RoPE(q)), L2(RoPE(k));  a ← ν_o · W_o softmax(√d_h · q kᵀ) v
            var (q, k, v) = SelfAttention.QueryKeyValue(h, _nu.Qkv);
            (q, k) = (rotary.Rotate(q, start), rotary.Rotate(k, start));
            if (_queryKeyNorm)
                (q, k) = (Norms.L2(q), Norms.L2(k));
            var y = SelfAttention.Attend(q, k, v, _softmaxScale, cache);
            h = Interpolate(h, SelfAttention.OProj.forward(y, _nu.Output), _attentionAlpha);

            // u, g ← ν_ug · W_u h, ν_ug · W_g h;  b ← ν_down · W_d (ν_act · u ⊙ SiLU(√d · g)), ν_act in W_d's factor
            var u = Mlp.UpProj.forward(h, _nu.UpGate);
            var gate = Mlp.GateProj.forward(h, _nu.UpGate * _gateFactor);
            var b = Mlp.DownProj.forward(u * nn.functional.silu(gate), _nu.Down * _nu.Activation);
            return Interpolate(h, b, _mlpAlpha).MoveToOuterDisposeScope();
        }

        /// <summary>ν(α) ⊙ (h + α ⊙ (x − h)), as ν(1−α) ⊙ h + να ⊙ x: two passes over the stream instead of four.</summary>
        private Tensor Interpolate(Tensor h, Tensor x, ReparameterizedScale scale)
        {
            var alpha = scale.Value().abs();
            var keep = 1 - alpha;
            if (_nu.Residual)
            {
                var nu = (alpha.square() + keep.square()).rsqrt();
                (alpha, keep) = (alpha * nu, keep * nu);
            }

            return (h * keep).addcmul(alpha, x, 1);
        }
    }
}
