using AnTransformer.Configuration;
using static TorchSharp.torch;

namespace AnTransformer.Reference;

/// <summary>RMSNorm before and after attention and MLP, with QK norm.</summary>
internal sealed class EagerSandwich : EagerModel
{
    private readonly EagerRmsNorm _norm;

    public EagerSandwich(ModelConfig config, EagerPrecision precision)
        : base(nameof(EagerSandwich), config, precision, () => new Block(config, precision))
    {
        _norm = new EagerRmsNorm(config.HiddenSize, config.RmsNormEps, precision);
        Decoder.register_module("norm", _norm);
    }

    private protected override Tensor Logits(Tensor h) => Precision.ToMaster(Precision.Apply(Head, _norm.forward(h)));

    private sealed class Block : EagerBlock
    {
        private readonly EagerRmsNorm[] _norms;
        private readonly EagerRmsNorm? _queryNorm;
        private readonly EagerRmsNorm? _keyNorm;

        public Block(ModelConfig config, EagerPrecision precision)
            : base(nameof(Block), config, precision)
        {
            string[] names = ["input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm",
                "post_feedforward_layernorm"];
            _norms = names.Select(_ => new EagerRmsNorm(config.HiddenSize, config.RmsNormEps, precision)).ToArray();
            for (var i = 0; i < names.Length; i++)
                register_module(names[i], _norms[i]);
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
            var (q, k, v) = Attention.Project(_norms[0].forward(h));
            if (_queryNorm is not null && _keyNorm is not null)
                (q, k) = (_queryNorm.forward(q), _keyNorm.forward(k));
            h = h + _norms[1].forward(Attention.Attend(Rotate(q, cos, sin), Rotate(k, cos, sin), v));

            var (up, gate) = Mlp.Project(_norms[2].forward(h));
            return (h + _norms[3].forward(Mlp.Down(up * nn.functional.silu(gate)))).MoveToOuterDisposeScope();
        }
    }
}
