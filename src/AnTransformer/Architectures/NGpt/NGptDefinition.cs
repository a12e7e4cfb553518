using AnTransformer.Configuration;
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
