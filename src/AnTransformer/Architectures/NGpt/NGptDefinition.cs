using AnTransformer.Configuration;
using AnTransformer.Graphs;
using AnTransformer.Layers;
using AnTransformer.Operators;

namespace AnTransformer.Architectures;

/// <summary>nGPT as published (arXiv 2410.01131).</summary>
public sealed class NGptDefinition : ArchitectureDefinition
{
    /// <inheritdoc/>
    public override string Name => "ngpt";

    /// <inheritdoc/>
    public override string Summary => "everything on the unit hypersphere, measured norms";

    /// <inheritdoc/>
    public override TrainingDefaults Training { get; } = new();

    /// <inheritdoc/>
    public override ModelFields Fields
        => ModelFields.Alpha | ModelFields.LogitScale | ModelFields.QkScale | ModelFields.MlpScale;

    /// <inheritdoc/>
    public override LanguageModel CreateModel(ModelConfig config, ModelContext context) => new NGpt(config, context);

    /// <inheritdoc/>
    public override DecoderGraph Describe(ModelConfig config, GraphParameters parameters)
    {
        double[] MlpScale(int layer, string name)
            => parameters.Scale(GraphParameters.Block(layer) + name, config.IntermediateSize, config.MlpScale);
        SphereUpdate Update(int layer, string name)
        {
            var alpha = parameters.Scale(GraphParameters.Block(layer) + name, config.HiddenSize, config.Alpha);
            return new SphereUpdate([.. alpha.Select(Math.Abs)]);
        }

        BlockGraph Block(int layer) => new(
            new AttentionGraph(
                new IdentityFunction(),
                parameters.Query(layer),
                parameters.Key(layer),
                parameters.Value(layer),
                new UnitQueryKey(config.QkNorm, parameters.Scale(
                    GraphParameters.Block(layer)
                        + "self_attn.qk_scale", config.Attention.KeyValueWidth, config.QkScale)),
                Math.Sqrt(config.HeadSize),
                parameters.Output(layer),
                Update(layer, "attn_alpha")),
            new MlpGraph(
                new IdentityFunction(),
                parameters.Gate(layer, Math.Sqrt(config.HiddenSize), MlpScale(layer, "mlp.gate_scale")),
                parameters.Up(layer, rowScales: MlpScale(layer, "mlp.up_scale")),
                parameters.Down(layer),
                Update(layer, "mlp_alpha")));

        return new DecoderGraph(
            config,
            parameters.Embedding(),
            [.. Enumerable.Range(0, config.NumHiddenLayers).Select(Block)],
            new IdentityFunction(),
            parameters.Head(parameters.Scale("logit_scale", config.VocabSize, config.LogitScale)));
    }

    /// <inheritdoc/>
    public override Encoder CreateEncoder(ModelConfig config, ModelContext context)
        => new(config, context, NGpt.EncoderOf(config));

    /// <inheritdoc/>
    public override (long PerBlock, long Outside) CountScales(ModelConfig config)
        => ((2L * config.HiddenSize) + config.Attention.KeyValueWidth + (2L * config.IntermediateSize),
            config.VocabSize);

    /// <summary>The norms before the division by the measured ones.</summary>
    /// <inheritdoc/>
    public override PredictedNorms PredictNorms(ModelConfig config)
    {
        double d = config.HiddenSize, dh = config.HeadSize, f = config.IntermediateSize;
        var scale = config.MlpScale.Init;
        var head = Math.Sqrt(dh / d);
        // W_o's H·d_h columns are unit vectors, as W_d's f are.
        var heads = Math.Sqrt(config.Attention.QueryWidth / d);
        var m = scale * Math.Sqrt(f / d) * PredictedNorms.RootMeanSquareSilu(scale);
        var norms = new PredictedNorms();
        norms.Add(null, Activation.Embedding, new(1));
        for (var layer = 0; layer < config.NumHiddenLayers; layer++)
        {
            norms.Add(layer, Activation.AttentionInput, new(1));
            norms.AddAttention(layer, head, heads, Prediction.AtMost(heads));
            norms.AddMlp(layer, new(1), 1, scale * Math.Sqrt(f), scale * Math.Sqrt(f / d), m, new(m));
            norms.Add(layer, Activation.StreamAfterMlp, new(1));
        }

        norms.Add(null, Activation.HeadInput, new(1));
        norms.Add(null, Activation.Logits, new(Math.Sqrt(config.VocabSize / d)));
        return norms;
    }

    /// <inheritdoc/>
    protected override ModelConfig WithDefaults(ModelConfig config) => config with
    {
        QkNorm = true,
        Constraint = RowConstraint.Exact,
    };
}
