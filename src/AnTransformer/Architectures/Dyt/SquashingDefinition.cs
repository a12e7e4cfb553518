using AnTransformer.Configuration;
using AnTransformer.Graphs;
using AnTransformer.Layers;

namespace AnTransformer.Architectures;

/// <summary>What DyT and Derf have in common.</summary>
public abstract class SquashingDefinition : ArchitectureDefinition
{
    /// <inheritdoc/>
    public override TrainingDefaults Training => TrainingDefaults.Normalized;

    /// <summary><c>alpha_init</c> is where α of every layer starts.</summary>
    public override ModelFields Fields => ModelFields.Alpha | ModelFields.RmsNormEps;

    /// <summary>Single numbers that a layer learns besides γ and β.</summary>
    protected abstract int ScalarsPerLayer { get; }

    /// <inheritdoc/>
    public override DecoderGraph Describe(ModelConfig config, GraphParameters parameters)
    {
        InputFunction Function(string name) => DescribeFunction(
            parameters,
            name + ".",
            parameters.Scale(name + ".alpha", 1, config.Alpha)[0],
            parameters.Vector(name + ".weight", config.HiddenSize),
            parameters.Vector(name + ".bias", config.HiddenSize));
        BlockGraph Block(int layer) => new(
            new AttentionGraph(
                Function(GraphParameters.Block(layer) + "input_layernorm"),
                parameters.Query(layer),
                parameters.Key(layer),
                parameters.Value(layer),
                parameters.RmsQueryKey(layer),
                1 / Math.Sqrt(config.HeadSize),
                parameters.Output(layer),
                new ResidualSum()),
            new MlpGraph(
                Function(GraphParameters.Block(layer) + "post_attention_layernorm"),
                parameters.Gate(layer),
                parameters.Up(layer),
                parameters.Down(layer),
                new ResidualSum()));

        return new DecoderGraph(
            config,
            parameters.Embedding(parameters.Vector("model.embed_scale", 1)[0]),
            [.. Enumerable.Range(0, config.NumHiddenLayers).Select(Block)],
            Function("model.norm"),
            parameters.Head());
    }

    /// <summary>The function in the place of a normalization layer.</summary>
    /// <param name="parameters">The trained parameters.</param>
    /// <param name="prefix">The names of its tensors begin with it.</param>
    /// <param name="slope">α.</param>
    /// <param name="gain">γ, [d].</param>
    /// <param name="bias">β, [d].</param>
    protected abstract InputFunction DescribeFunction(
        GraphParameters parameters, string prefix, double slope, double[] gain, double[] bias);

    /// <inheritdoc/>
    public override (long PerBlock, long Outside) CountScales(ModelConfig config)
    {
        var layer = (2L * config.HiddenSize) + ScalarsPerLayer;
        return ((2 * layer) + (config.QkNorm ? 2L * config.HeadSize : 0), layer + 1);
    }

    /// <summary>
    /// The norms that follow from the variance of the initial weights, for a stream of normal entries.
    /// </summary>
    /// <inheritdoc/>
    public override PredictedNorms PredictNorms(ModelConfig config)
    {
        double d = config.HiddenSize, dh = config.HeadSize, f = config.IntermediateSize;
        // W_o and W_d are drawn with variance 1/(2Ld), all other matrices with 1/d.
        var outputs = 1 / Math.Sqrt(2 * config.NumHiddenLayers);
        var norms = new PredictedNorms { HoldsAtInitializationOnly = true };
        // The embedding of norm 1, times √d.
        var h = Math.Sqrt(d);
        norms.Add(null, Activation.Embedding, new(h));
        for (var layer = 0; layer < config.NumHiddenLayers; layer++)
        {
            var x = Squashed(h);
            var head = Math.Sqrt(dh / d) * x;
            var heads = Math.Sqrt(config.Attention.QueryWidth / d) * x;
            var a = heads * outputs;
            norms.Add(layer, Activation.AttentionInput, new(x));
            norms.AddAttention(layer, head, heads, Prediction.AtMost(a));
            h = Math.Sqrt((h * h) + (a * a));
            x = Squashed(h);
            var gateUp = Math.Sqrt(f / d) * x;
            var m = gateUp * PredictedNorms.RootMeanSquareSilu(x / Math.Sqrt(d));
            var b = m * outputs;
            norms.AddMlp(layer, Prediction.AtMost(h), x, gateUp, gateUp, m, new(b));
            h = Math.Sqrt((h * h) + (b * b));
            norms.Add(layer, Activation.StreamAfterMlp, Prediction.AtMost(h));
        }

        norms.Add(null, Activation.HeadInput, new(Squashed(h)));
        norms.Add(null, Activation.Logits, new(Math.Sqrt(config.VocabSize / d) * Squashed(h)));
        return norms;

        // √(d E[f(αz)²]), z ~ N(0, h²/d).
        double Squashed(double stream) => Math.Sqrt(d * MeanSquare(config.Alpha.Init * stream / Math.Sqrt(d)));
    }

    /// <summary>E[f(z)²] of the bounded function, z ~ N(0, σ²).</summary>
    /// <param name="deviation">σ.</param>
    protected abstract double MeanSquare(double deviation);

    /// <inheritdoc/>
    protected override ModelConfig WithDefaults(ModelConfig config)
        => config with { QkNorm = false, Alpha = new ScaleInit(0.5, 0.5) };
}
