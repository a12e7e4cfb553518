using AnTransformer.Configuration;
using AnTransformer.Normalization;
using static TorchSharp.torch;

namespace AnTransformer.Reference;

/// <summary>anGPT: constants in place of measured norms, interpolations in place of sums.</summary>
internal sealed class EagerAnGpt : EagerModel
{
    private readonly EagerScale _logitScale;

    public EagerAnGpt(ModelConfig config, EagerPrecision precision)
        : base(nameof(EagerAnGpt), config, precision, () => new Block(config, precision))
    {
        _logitScale = new EagerScale(config.VocabSize, config.LogitScale, precision);
        register_parameter("logit_scale", _logitScale.Stored);
    }

    private protected override Tensor Logits(Tensor h) => _logitScale.Value() * Precision.Apply(Head, h);

    private sealed class Block : EagerBlock
    {
        private readonly ModelConfig _config;
        private readonly NormalizationFactors _nu;
        private readonly EagerScale _attentionAlpha;
        private readonly EagerScale _mlpAlpha;

        public Block(ModelConfig config, EagerPrecision precision)
            : base(nameof(Block), config, precision)
        {
            _config = config;
            _nu = NormalizationFactors.For(config);
            _attentionAlpha = new EagerScale(config.HiddenSize, config.Alpha, precision);
            _mlpAlpha = new EagerScale(config.HiddenSize, config.Alpha, precision);
            register_parameter("attn_alpha", _attentionAlpha.Stored);
            register_parameter("mlp_alpha", _mlpAlpha.Stored);
        }

        public override Tensor forward(Tensor h, Tensor cos, Tensor sin)
        {
            using var scope = NewDisposeScope();
            var (q, k, v) = Attention.Project(h);
            (q, k, v) = (Rotate(q * _nu.Qkv, cos, sin), Rotate(k * _nu.Qkv, cos, sin), v * _nu.Qkv);
            if (_config.QkNorm)
                (q, k) = (Normalize(q), Normalize(k));
            // The softmax scale is √d_h, and the operator applies 1/√d_h.
            h = Update(h, Attention.Attend(q * _config.HeadSize, k, v) * _nu.Output, _attentionAlpha);

            // One factor per activation: √d joins ν_ug of the gate, ν_act that of up.
            var (up, gate) = Mlp.Project(h);
            up = up * (_nu.UpGate * _nu.Activation);
            gate = gate * (_nu.UpGate * Math.Sqrt(_config.HiddenSize));
            var output = Mlp.Down(up * nn.functional.silu(gate)) * _nu.Down;
            return Update(h, output, _mlpAlpha).MoveToOuterDisposeScope();
        }

        /// <summary>ν(α) ⊙ (h + α ⊙ (output − h)).</summary>
        private Tensor Update(Tensor h, Tensor output, EagerScale scale)
        {
            var alpha = scale.Value().abs();
            var mixed = lerp(h, Precision.ToMaster(output), alpha);
            return _nu.Residual ? mixed * (alpha.square() + (1 - alpha).square()).rsqrt() : mixed;
        }
    }
}
