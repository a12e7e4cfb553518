using AnTransformer.Configuration;
using static TorchSharp.torch;

namespace AnTransformer.Reference;

/// <summary>nGPT: everything is divided by its measured norm.</summary>
internal sealed class EagerNGpt : EagerModel
{
    private readonly EagerScale _logitScale;

    public EagerNGpt(ModelConfig config, EagerPrecision precision)
        : base(nameof(EagerNGpt), config, precision, () => new Block(config, precision))
    {
        _logitScale = new EagerScale(config.VocabSize, config.LogitScale, precision);
        register_parameter("logit_scale", _logitScale.Stored);
    }

    private protected override Tensor Logits(Tensor h) => _logitScale.Value() * Precision.Apply(Head, h);

    private sealed class Block : EagerBlock
    {
        private readonly bool _queryKeyNorm;
        private readonly AttentionShape _shape;
        private readonly long _hiddenSize;
        private readonly EagerScale _attentionAlpha;
        private readonly EagerScale _mlpAlpha;
        private readonly EagerScale _queryKeyScale;
        private readonly EagerScale _upScale;
        private readonly EagerScale _gateScale;

        public Block(ModelConfig config, EagerPrecision precision)
            : base(nameof(Block), config, precision)
        {
            _queryKeyNorm = config.QkNorm;
            (_shape, _hiddenSize) = (config.Attention, config.HiddenSize);
            _attentionAlpha = new EagerScale(config.HiddenSize, config.Alpha, precision);
            _mlpAlpha = new EagerScale(config.HiddenSize, config.Alpha, precision);
            _queryKeyScale = new EagerScale(_shape.KeyValueWidth, config.QkScale, precision);
            _upScale = new EagerScale(config.IntermediateSize, config.MlpScale, precision);
            _gateScale = new EagerScale(config.IntermediateSize, config.MlpScale, precision);
            register_parameter("attn_alpha", _attentionAlpha.Stored);
            register_parameter("mlp_alpha", _mlpAlpha.Stored);
            Attention.register_parameter("qk_scale", _queryKeyScale.Stored);
            Mlp.register_parameter("up_scale", _upScale.Stored);
            Mlp.register_parameter("gate_scale", _gateScale.Stored);
        }

        public override Tensor forward(Tensor h, Tensor cos, Tensor sin)
        {
            using var scope = NewDisposeScope();
            var (q, k, v) = Attention.Project(h);
            (q, k) = (Rotate(q, cos, sin), Rotate(k, cos, sin));
            if (_queryKeyNorm)
                (q, k) = (Normalize(q), Normalize(k));
            // The softmax scale is √d_h and the operator applies 1/√d_h; d_h goes into the query's scale.
            var scales = _queryKeyScale.Value(_shape.HeadSize).view(_shape.KeyValueHeads, 1, _shape.HeadSize);
            q = q * (_shape.GroupSize == 1 ? scales : scales.repeat_interleave(_shape.GroupSize, dim: 0));
            k = k * _queryKeyScale.Value().view(_shape.KeyValueHeads, 1, _shape.HeadSize);
            h = Update(h, Attention.Attend(q, k, v), _attentionAlpha);

            var (up, gate) = Mlp.Project(h);
            up = _upScale.Value() * up;
            gate = _gateScale.Value(Math.Sqrt(_hiddenSize)) * gate;
            return Update(h, Mlp.Down(up * nn.functional.silu(gate)), _mlpAlpha).MoveToOuterDisposeScope();
        }

        /// <summary>L2(h + |α| ⊙ (L2(output) − h)).</summary>
        private Tensor Update(Tensor h, Tensor output, EagerScale alpha)
            => Normalize(lerp(h, Normalize(output), alpha.Value().abs()));
    }
}
