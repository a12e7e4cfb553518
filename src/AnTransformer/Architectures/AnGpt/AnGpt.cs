using AnTransformer.Configuration;
using AnTransformer.Layers;
using AnTransformer.Normalization;
using AnTransformer.Operators;
using static TorchSharp.torch;

namespace AnTransformer.Architectures;

/// <summary>
/// anGPT, the approximately normalized transformer (arXiv 2505.22014): no norm of an activation is measured but that of
/// queries and keys. Every linear map, gate and residual update is multiplied by a constant ν
/// (<see cref="NormalizationFactors"/>), residual updates are interpolations, and the rows of every matrix stay inside
/// the unit ball.
/// </summary>
public sealed class AnGpt : LanguageModel
{
    /// <summary>Creates the model with matrices of zeros.</summary>
    /// <param name="config">Shape; must be valid.</param>
    /// <param name="context">Dtypes and device.</param>
    public AnGpt(ModelConfig config, ModelContext context)
        : base(nameof(AnGpt), config, context, own => new Block(config, own))
    {
        LogitScale = new ReparameterizedScale(config.VocabSize, config.LogitScale, Context);
        register_parameter("logit_scale", LogitScale.Stored);
    }

    /// <inheritdoc/>
    protected override ReparameterizedScale LogitScale { get; }

    /// <inheritdoc/>
    protected override LinearInput HeadInput(Tensor h) => h;

    /// <inheritdoc/>
    protected override double InitialDeviation(bool isOutput) => 1;

    /// <summary>The blocks without embedding and head.</summary>
    internal static EncoderDesign EncoderOf(ModelConfig config)
        => new(own => new Block(config, own), _ => 1, StartsOnSphere: true);

    /// <inheritdoc/>
    protected override void FinishInitialization() => Constrain(RowConstraint.Exact);

    private sealed class Block : TransformerBlock
    {
        private readonly NormalizationFactors _nu;
        private readonly ReparameterizedScale _attentionAlpha;
        private readonly ReparameterizedScale _mlpAlpha;
        private readonly QueryKeyNormalization _queryKeyNorm;
        private readonly double _softmaxScale;
        private readonly double _gateFactor;

        public Block(ModelConfig config, ModelContext context)
            : base(nameof(Block), config, context)
        {
            _nu = NormalizationFactors.For(config);
            _queryKeyNorm = config.QkNorm ? QueryKeyNormalization.L2 : QueryKeyNormalization.None;
            _softmaxScale = Math.Sqrt(config.HeadSize);
            _gateFactor = Math.Sqrt(config.HiddenSize);
            _attentionAlpha = new ReparameterizedScale(config.HiddenSize, config.Alpha, context);
            _mlpAlpha = new ReparameterizedScale(config.HiddenSize, config.Alpha, context);
            register_parameter("attn_alpha", _attentionAlpha.Stored);
            register_parameter("mlp_alpha", _mlpAlpha.Stored);
        }

        public override Tensor forward(
            Tensor h, RotaryEmbedding rotary, long start, LayerCache? cache, LayerObserver? observer = null)
        {
            using var scope = NewDisposeScope();

            // q, k, v ← ν_qkv · W_{q,k,v} h;  q, k ← L2(RoPE(q)), L2(RoPE(k));  y ← softmax(√d_h · q kᵀ) v
            var qkv = SelfAttention.QkvProj.Forward(h, _nu.Qkv);
            var y = SelfAttention.Attend(qkv, _queryKeyNorm, _softmaxScale, rotary, start, cache);
            observer?.Attention(h, qkv, y, SelfAttention.OProj.forward(y, _nu.Output));

            // h ← ν(α_A) ⊙ (h + α_A ⊙ (ν_o · W_o y − h))
            h = SelfAttention.OProj.Interpolate(h, y, _nu.Output, _attentionAlpha, _nu.Residual);

            // g, u ← ν_ug · W_g h, ν_ug · W_u h;  m ← ν_act · u ⊙ SiLU(√d · g), ν_act in W_d's factor
            var gateUp = Mlp.GateUpProj.Forward(h, _nu.UpGate);
            var m = new GatedInput(gateUp, _gateFactor);
            observer?.Mlp(h, h, gateUp, m, Mlp.DownProj.forward(m, _nu.Down * _nu.Activation), _nu.Activation);

            // h ← ν(α_M) ⊙ (h + α_M ⊙ (ν_down · W_d m − h))
            return Mlp.DownProj.Interpolate(h, m, _nu.Down * _nu.Activation, _mlpAlpha, _nu.Residual)
                .MoveToOuterDisposeScope();
        }
    }
}
