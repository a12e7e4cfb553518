using AnTransformer.Configuration;
using AnTransformer.Graphs;
using AnTransformer.Normalization;
using AnTransformer.Operators;

namespace AnTransformer.Architectures;

/// <summary>GPT with dynamic tanh in the place of every RMSNorm (Zhu et al. 2025, arXiv 2503.10622).</summary>
public sealed class DytDefinition : SquashingDefinition
{
    /// <inheritdoc/>
    public override string Name => "dyt";

    /// <inheritdoc/>
    public override string Summary => "γ tanh(αx) + β in the place of normalization layers";

    /// <inheritdoc/>
    public override LanguageModel CreateModel(ModelConfig config, ModelContext context)
        => new SquashingGpt(Name, config, context, own => DynamicSquash.Tanh(config.HiddenSize, config.Alpha, own));

    /// <inheritdoc/>
    public override Encoder CreateEncoder(ModelConfig config, ModelContext context) => new(
        config, context, SquashingGpt.EncoderOf(
            config, own => DynamicSquash.Tanh(config.HiddenSize, config.Alpha, own)));

    /// <inheritdoc/>
    protected override int ScalarsPerLayer => 1;

    /// <inheritdoc/>
    protected override InputFunction DescribeFunction(
        GraphParameters parameters, string prefix, double slope, double[] gain, double[] bias)
        => new TanhFunction(slope, gain, bias);

    /// <inheritdoc/>
    protected override double MeanSquare(double deviation)
        => GaussianExpectation.Of(z => Math.Pow(Math.Tanh(z), 2), deviation);
}
