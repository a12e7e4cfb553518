using AnTransformer.Configuration;
using static TorchSharp.torch;

namespace AnTransformer.Reference;

/// <summary>GPT (the Llama block) and, with QK norm, GPT+ (the Qwen3 block).</summary>
internal sealed class EagerGpt : EagerModel
{
    private readonly EagerRmsNorm _norm;

    public EagerGpt(ModelConfig config, EagerPrecision precision)
        : base(nameof(EagerGpt), config, precision, () => new Block(config, precision))
    {
        _norm = new EagerRmsNorm(config.HiddenSize, config.RmsNormEps, precision);
        Decoder.register_module("norm", _norm);
    }

    private protected override Tensor Logits(Tensor h) => Precision.ToMaster(Precision.Apply(Head, _norm.forward(h)));

    private sealed class Block : EagerBlock
    {
        private readonly EagerRmsNorm _inputNorm;
        private readonly EagerRmsNorm _postAttentionNorm;
        private readonly EagerRmsNorm? _queryNorm;
        private readonly EagerRmsNorm? _keyNorm;

        public Block(ModelConfig config, EagerPrecision precision)
            : base(nameof(Block), config, precision)
        {
            _inputNorm = new EagerRmsNorm(config.HiddenSize, config.RmsNormEps, precision);
            _postAttentionNorm = new EagerRmsNorm(config.HiddenSize, config.RmsNormEps, precision);
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
}
