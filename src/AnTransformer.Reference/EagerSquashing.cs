using AnTransformer.Configuration;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Reference;

/// <summary>
/// DyT and Derf: γ ⊙ tanh(αx) + β or γ ⊙ erf(αx + s) + β where GPT has its norms, and a factor behind the embedding.
/// </summary>
internal sealed class EagerSquashing : EagerModel
{
    private readonly Squash _norm;
    private readonly Parameter _embedScale;

    public EagerSquashing(ModelConfig config, EagerPrecision precision, bool erf)
        : base(nameof(EagerSquashing), config, precision, () => new Block(config, precision, erf))
    {
        _norm = new Squash(config, precision, erf);
        _embedScale = precision.Parameter(1, Math.Sqrt(config.HiddenSize));
        Decoder.register_module("norm", _norm);
        Decoder.register_parameter("embed_scale", _embedScale);
    }

    private protected override Tensor Embedded(Tensor h) => h * _embedScale;

    private protected override Tensor Logits(Tensor h)
        => Precision.ToMaster(Precision.Apply(Head, Precision.ToCompute(_norm.forward(h))));

    private sealed class Block : EagerBlock
    {
        private readonly Squash _inputNorm;
        private readonly Squash _postAttentionNorm;
        private readonly EagerRmsNorm? _queryNorm;
        private readonly EagerRmsNorm? _keyNorm;

        public Block(ModelConfig config, EagerPrecision precision, bool erf)
            : base(nameof(Block), config, precision)
        {
            _inputNorm = new Squash(config, precision, erf);
            _postAttentionNorm = new Squash(config, precision, erf);
            register_module("input_layernorm", _inputNorm);
            register_module("post_attention_layernorm", _postAttentionNorm);
            if (config.QkNorm)
            {
                _queryNorm = new EagerRmsNorm(config.HeadSize, config.RmsNormEps, precision);
                _keyNorm = new EagerRmsNorm(config.HeadSize, config.RmsNormEps, precision);
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

    private sealed class Squash : nn.Module<Tensor, Tensor>
    {
        private readonly Parameter _weight;
        private readonly Parameter _bias;
        private readonly EagerScale _alpha;
        private readonly Parameter? _shift;
        private readonly EagerPrecision _precision;

        public Squash(ModelConfig config, EagerPrecision precision, bool erf)
            : base(nameof(Squash))
        {
            _precision = precision;
            _weight = precision.Parameter(config.HiddenSize, value: 1);
            _bias = precision.Parameter(config.HiddenSize, value: 0);
            _alpha = new EagerScale(1, config.Alpha, precision);
            register_parameter("weight", _weight);
            register_parameter("bias", _bias);
            register_parameter("alpha", _alpha.Stored);
            if (erf)
            {
                _shift = precision.Parameter(1, value: 0);
                register_parameter("shift", _shift);
            }
        }

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            var z = _precision.ToMaster(input) * _alpha.Value();
            var squashed = _shift is null ? z.tanh() : (z + _shift).erf();
            return ((squashed * _weight) + _bias).MoveToOuterDisposeScope();
        }
    }
}
