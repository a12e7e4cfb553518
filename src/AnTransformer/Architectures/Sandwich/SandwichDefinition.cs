using AnTransformer.Configuration;
using AnTransformer.Graphs;
using AnTransformer.Layers;
using AnTransformer.Operators;

namespace AnTransformer.Architectures;

/// <summary>
/// RMSNorm before and after attention and MLP, as Gemma 2 (arXiv 2408.00118) has it, with QK norm as Gemma 3.
/// </summary>
public sealed class SandwichDefinition : ArchitectureDefinition
{
    /// <inheritdoc/>
    public override string Name => "sandwich";

    /// <inheritdoc/>
    public override string Summary => "RMSNorm before and after attention and MLP (the Gemma 2 block)";

    /// <inheritdoc/>
    public override TrainingDefaults Training => TrainingDefaults.Normalized;

    /// <inheritdoc/>
    public override ModelFields Fields => ModelFields.RmsNormEps;

    /// <inheritdoc/>
    public override LanguageModel CreateModel(ModelConfig config, ModelContext context)
        => new Sandwich(config, context);

    /// <inheritdoc/>
    public override DecoderGraph Describe(ModelConfig config, GraphParameters parameters)
    {
        RmsNormFunction Norm(int layer, string name) => parameters.RmsNorm(
            GraphParameters.Block(layer) + name + ".weight");
        BlockGraph Block(int layer) => new(
            new AttentionGraph(
                Norm(layer, "input_layernorm"),
                parameters.Query(layer),
                parameters.Key(layer),
                parameters.Value(layer),
                parameters.RmsQueryKey(layer),
                1 / Math.Sqrt(config.HeadSize),
                parameters.Output(layer),
                new NormalizedResidualSum(Norm(layer, "post_attention_layernorm"))),
            new MlpGraph(
                Norm(layer, "pre_feedforward_layernorm"),
                parameters.Gate(layer),
                parameters.Up(layer),
                parameters.Down(layer),
                new NormalizedResidualSum(Norm(layer, "post_feedforward_layernorm"))));

        return new DecoderGraph(
            config,
            parameters.Embedding(),
            [.. Enumerable.Range(0, config.NumHiddenLayers).Select(Block)],
            parameters.RmsNorm("model.norm.weight"),
            parameters.Head());
    }

    /// <inheritdoc/>
    public override Encoder CreateEncoder(ModelConfig config, ModelContext context)
        => new(config, context, Sandwich.EncoderOf(config));

    /// <inheritdoc/>
    public override (long PerBlock, long Outside) CountScales(ModelConfig config)
        => ((4L * config.HiddenSize) + (config.QkNorm ? 2L * config.HeadSize : 0), config.HiddenSize);

    /// <summary>The norms that follow from the variance of the initial weights.</summary>
    /// <inheritdoc/>
    public override PredictedNorms PredictNorms(ModelConfig config)
    {
        double d = config.HiddenSize, dh = config.HeadSize, f = config.IntermediateSize;
        var normalized = Math.Sqrt(d);
        // W_o and W_d are drawn with variance 1/(2Ld), all other matrices with 1/d; what they write is normalized to
        // √d.
        var outputs = 1 / Math.Sqrt(2 * config.NumHiddenLayers);
        var heads = Math.Sqrt(config.Attention.QueryWidth);
        var m = Math.Sqrt(f) * PredictedNorms.RootMeanSquareSilu(1);
        var norms = new PredictedNorms { HoldsAtInitializationOnly = true };
        double h = 1;
        norms.Add(null, Activation.Embedding, new(h));
        for (var layer = 0; layer < config.NumHiddenLayers; layer++)
        {
            norms.Add(layer, Activation.AttentionInput, new(normalized));
            norms.AddAttention(layer, Math.Sqrt(dh), heads, Prediction.AtMost(heads * outputs));
            h = Math.Sqrt((h * h) + d);
            norms.AddMlp(layer, new(h), normalized, Math.Sqrt(f), Math.Sqrt(f), m, new(m * outputs));
            h = Math.Sqrt((h * h) + d);
            norms.Add(layer, Activation.StreamAfterMlp, new(h));
        }

        norms.Add(null, Activation.HeadInput, new(normalized));
        norms.Add(null, Activation.Logits, new(Math.Sqrt(config.VocabSize)));
        return norms;
    }

    /// <inheritdoc/>
    protected override ModelConfig WithDefaults(ModelConfig config) => config with { QkNorm = true };
}
