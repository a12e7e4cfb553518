using AnTransformer.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.EagerTwin;

/// <summary>GPT (the Llama block) and, with QK norm, GPT+ (the Qwen3 block).</summary>
internal sealed class EagerGpt : EagerModel
{
    private readonly RmsNorm _norm;

    public EagerGpt(ModelConfig config, EagerPrecision precision)
        : base(nameof(EagerGpt), config, precision, () => new Block(config, precision))
    {
        _norm = new RmsNorm(config.HiddenSize, config.RmsNormEps, precision);
        Decoder.register_module("norm", _norm);
    }

    private protected override Tensor Logits(Tensor h) => Precision.ToMaster(Precision.Apply(Head, _norm.forward(h)));

    private sealed class Block : EagerBlock
    {
        private readonly RmsNorm _inputNorm;
        private readonly RmsNorm _postAttentionNorm;
        private readonly RmsNorm? _queryNorm;
        private readonly RmsNorm? _keyNorm;

        public Block(ModelConfig config, EagerPrecision precision)
            : base(nameof(Block), config, precision)
        {
            _inputNorm = new RmsNorm(config.HiddenSize, config.RmsNormEps, precision);
            _postAttentionNorm = new RmsNorm(config.HiddenSize, config.RmsNormEps, precision);
            register_module("input_layernorm", _inputNorm);
            register_module("post_attention_layernorm", _postAttentionNorm);
            if (config.QkNorm)
            {
                _queryNorm = new RmsNorm(config.HeadSize, config.RmsNormEps, precision);
                _keyNorm = new RmsNorm(config.HeadSize, config.RmsNormEps, precision);
                Attention.register_module("q_norm", _queryNorm);
                Attention.register_module("k_norm", _keyNorm);
            }
        }

        public override Tensor forward(Tensor h, Tensor cos, Tensor sin)
        {
            using var scope = NewDisposeScope();
            var (q, k, v) = Attention.Project(_inputNorm.forward(h));
            if (_queryNorm is not null && _keyNorm is not null)
                (q, k) = (_queryNorm.forward(q), _keyNorm.forward(k));
            h = h + Attention.Attend(Rotate(q, cos, sin), Rotate(k, cos, sin), v);

            var (up, gate) = Mlp.Project(_postAttentionNorm.forward(h));
            return (h + Mlp.Down(up * nn.functional.silu(gate))).MoveToOuterDisposeScope();
        }
    }

    /// <summary>gain ⊙ x / √(mean(x²) + ε), in the master dtype.</summary>
    private sealed class RmsNorm : nn.Module<Tensor, Tensor>
    {
        private readonly Parameter _weight;
        private readonly double _epsilon;
        private readonly EagerPrecision _precision;

        public RmsNorm(long size, double epsilon, EagerPrecision precision)
            : base(nameof(RmsNorm))
        {
            (_epsilon, _precision) = (epsilon, precision);
            _weight = precision.Parameter(size, value: 1);
            register_parameter("weight", _weight);
        }

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            var x = _precision.ToMaster(input);
            var inverse = (x.square().mean([-1], keepdim: true) + _epsilon).rsqrt();
            return (x * inverse * _weight).MoveToOuterDisposeScope();
        }
    }
}
