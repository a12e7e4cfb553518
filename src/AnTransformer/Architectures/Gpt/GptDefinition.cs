using AnTransformer.Configuration;
using AnTransformer.Graphs;
using AnTransformer.Layers;
using AnTransformer.Operators;

namespace AnTransformer.Architectures;

/// <summary>GPT, the Llama block.</summary>
public class GptDefinition : ArchitectureDefinition
{
    /// <inheritdoc/>
    public override string Name => "gpt";

    /// <inheritdoc/>
    public override string Summary => "the Llama block: RMSNorm before attention and MLP, plain residual sums";

    /// <inheritdoc/>
    public override TrainingDefaults Training => TrainingDefaults.Normalized;

    /// <inheritdoc/>
    public override ModelFields Fields => ModelFields.RmsNormEps;

    /// <inheritdoc/>
    public override LanguageModel CreateModel(ModelConfig config, ModelContext context) => new Gpt(config, context);

    /// <inheritdoc/>
    public override DecoderGraph Describe(ModelConfig config, GraphParameters parameters)
    {
        BlockGraph Block(int layer) => new(
            new AttentionGraph(
                parameters.RmsNorm(GraphParameters.Block(layer) + "input_layernorm.weight"),
                parameters.Query(layer),
                parameters.Key(layer),
                parameters.Value(layer),
                parameters.RmsQueryKey(layer),
                1 / Math.Sqrt(config.HeadSize),
                parameters.Output(layer),
                new ResidualSum()),
            new MlpGraph(
                parameters.RmsNorm(GraphParameters.Block(layer) + "post_attention_layernorm.weight"),
                parameters.Gate(layer),
                parameters.Up(layer),
                parameters.Down(layer),
                new ResidualSum()));

        return new DecoderGraph(
            config,
            parameters.Embedding(),
            [.. Enumerable.Range(0, config.NumHiddenLayers).Select(Block)],
            parameters.RmsNorm("model.norm.weight"),
            parameters.Head());
    }

    /// <inheritdoc/>
    public override Encoder CreateEncoder(ModelConfig config, ModelContext context)
        => new(config, context, Gpt.EncoderOf(config));

    /// <inheritdoc/>
    public override (long PerBlock, long Outside) CountScales(ModelConfig config)
        => ((2L * config.HiddenSize) + (config.QkNorm ? 2L * config.HeadSize : 0), config.HiddenSize);

    /// <summary>The norms that follow from the variance of the initial weights.</summary>
    /// <inheritdoc/>
    public override PredictedNorms PredictNorms(ModelConfig config)
    {
        double d = config.HiddenSize, dh = config.HeadSize, f = config.IntermediateSize;
        var normalized = Math.Sqrt(d);
        // W_o and W_d are drawn with variance 1/(2Ld), all other matrices with 1/d.
        var outputs = 1 / Math.Sqrt(2 * config.NumHiddenLayers);
        var heads = Math.Sqrt(config.Attention.QueryWidth);
        var a = heads * outputs;
        var m = Math.Sqrt(f) * PredictedNorms.RootMeanSquareSilu(1);
        var b = m * outputs;
        var norms = new PredictedNorms { HoldsAtInitializationOnly = true };
        double h = 1;
        norms.Add(null, Activation.Embedding, new(h));
        for (var layer = 0; layer < config.NumHiddenLayers; layer++)
        {
            norms.Add(layer, Activation.AttentionInput, new(normalized));
            norms.AddAttention(layer, Math.Sqrt(dh), heads, Prediction.AtMost(a));
            h = Math.Sqrt((h * h) + (a * a));
            norms.AddMlp(layer, Prediction.AtMost(h), normalized, Math.Sqrt(f), Math.Sqrt(f), m, new(b));
            h = Math.Sqrt((h * h) + (b * b));
            norms.Add(layer, Activation.StreamAfterMlp, Prediction.AtMost(h));
        }

        norms.Add(null, Activation.HeadInput, new(normalized));
        norms.Add(null, Activation.Logits, new(Math.Sqrt(config.VocabSize)));
        return norms;
    }

    /// <inheritdoc/>
    protected override ModelConfig WithDefaults(ModelConfig config) => config with { QkNorm = false };
}
