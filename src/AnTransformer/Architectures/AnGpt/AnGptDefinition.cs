using AnTransformer.Configuration;
using AnTransformer.Graphs;
using AnTransformer.Layers;
using AnTransformer.Normalization;
using AnTransformer.Operators;

namespace AnTransformer.Architectures;

/// <summary>
/// anGPT as published (arXiv 2505.22014) but for what its paper leaves open or experiments prove better
/// (docs/experiments.md): where α and s_z start, spectral clipping and rates by row length.
/// </summary>
public sealed class AnGptDefinition : ArchitectureDefinition
{
    /// <summary>The name <c>angpt</c>.</summary>
    public const string ArchitectureName = "angpt";

    /// <inheritdoc/>
    public override string Name => ArchitectureName;

    /// <inheritdoc/>
    public override string Summary => "constants instead of measured norms, rows inside the unit ball";

    /// <inheritdoc/>
    public override TrainingDefaults Training { get; } = new(SpectralClip: 1, WidthExponent: 1);

    /// <inheritdoc/>
    public override ModelFields Fields => ModelFields.Alpha | ModelFields.LogitScale | ModelFields.Factors;

    /// <inheritdoc/>
    public override LanguageModel CreateModel(ModelConfig config, ModelContext context) => new AnGpt(config, context);

    /// <inheritdoc/>
    public override DecoderGraph Describe(ModelConfig config, GraphParameters parameters)
    {
        var nu = NormalizationFactors.For(config);
        BlockGraph Block(int layer) => new(
            new AttentionGraph(
                new IdentityFunction(),
                parameters.Query(layer, nu.Qkv),
                parameters.Key(layer, nu.Qkv),
                parameters.Value(layer, nu.Qkv),
                new UnitQueryKey(config.QkNorm),
                Math.Sqrt(config.HeadSize),
                parameters.Output(layer, nu.Output),
                parameters.Interpolation(GraphParameters.Block(layer) + "attn_alpha")),
            new MlpGraph(
                new IdentityFunction(),
                parameters.Gate(layer, nu.UpGate * Math.Sqrt(config.HiddenSize)),
                parameters.Up(layer, nu.UpGate),
                parameters.Down(layer, nu.Down * nu.Activation),
                parameters.Interpolation(GraphParameters.Block(layer) + "mlp_alpha")));

        return new DecoderGraph(
            config,
            parameters.Embedding(),
            [.. Enumerable.Range(0, config.NumHiddenLayers).Select(Block)],
            new IdentityFunction(),
            parameters.Head(parameters.Scale("logit_scale", config.VocabSize, config.LogitScale)));
    }

    /// <inheritdoc/>
    public override Encoder CreateEncoder(ModelConfig config, ModelContext context)
        => new(config, context, AnGpt.EncoderOf(config));

    /// <inheritdoc/>
    public override (long PerBlock, long Outside) CountScales(ModelConfig config)
        => (2L * config.HiddenSize, config.VocabSize);

    /// <inheritdoc/>
    public override PredictedNorms PredictNorms(ModelConfig config)
    {
        double d = config.HiddenSize, dh = config.HeadSize, f = config.IntermediateSize;
        var nu = NormalizationFactors.For(config);
        var norms = new PredictedNorms();
        double h = 1;
        norms.Add(null, Activation.Embedding, new(h));
        for (var layer = 0; layer < config.NumHiddenLayers; layer++)
        {
            var head = nu.Qkv * Math.Sqrt(dh / d) * h;
            var heads = Math.Sqrt(config.Attention.Heads) * head;
            // ν_o is made for heads of the values' full norm; a mean of values that differ is shorter.
            var a = nu.Output * Math.Sqrt(d / config.Attention.QueryWidth) * heads;
            norms.Add(layer, Activation.AttentionInput, new(h));
            norms.AddAttention(layer, head, heads, new(a));

            h = Interpolated(h, a);
            var gateUp = nu.UpGate * Math.Sqrt(f / d) * h;
            var m = nu.Activation * gateUp * PredictedNorms.RootMeanSquareSilu(Math.Sqrt(d / f) * gateUp);
            var b = nu.Down * Math.Sqrt(d / f) * m;
            norms.AddMlp(layer, new(h), h, gateUp, gateUp, m, new(b));

            h = Interpolated(h, b);
            norms.Add(layer, Activation.StreamAfterMlp, new(h));
        }

        norms.Add(null, Activation.HeadInput, new(h));
        norms.Add(null, Activation.Logits, new(Math.Sqrt(config.VocabSize / d) * h));
        return norms;

        // √E‖ν(α)((1−α)h + αx)‖² of independent h and x, at α's initial value.
        double Interpolated(double stream, double update)
        {
            var alpha = config.Alpha.Init;
            var mixed = Math.Sqrt(Math.Pow((1 - alpha) * stream, 2) + Math.Pow(alpha * update, 2));
            return nu.Residual ? NormalizationFactors.OfResidual(alpha) * mixed : mixed;
        }
    }

    /// <inheritdoc/>
    protected override ModelConfig WithDefaults(ModelConfig config) => config with
    {
        QkNorm = true,
        Constraint = RowConstraint.Bounded,
        // nGPT's 0.05 and 1, stored as 1/√d, learn far slower in short runs; deep models with α = 0.2 diverge within
        // their first steps.
        Alpha = new ScaleInit(Math.Min(0.2, 0.8 / config.NumHiddenLayers), 1),
        LogitScale = new ScaleInit(1 / (1 / Math.Sqrt(config.HiddenSize)), 1),
    };
}
