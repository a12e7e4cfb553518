using AnTransformer.Configuration;
using AnTransformer.Graphs;
using AnTransformer.Operators;

namespace AnTransformer.Architectures;

/// <summary>
/// GPT with a shifted error function in the place of every RMSNorm (Chen et al. 2025, arXiv 2512.10938).
/// </summary>
public sealed class DerfDefinition : SquashingDefinition
{
    /// <inheritdoc/>
    public override string Name => "derf";

    /// <inheritdoc/>
    public override string Summary => "γ erf(αx + s) + β in the place of normalization layers";

    /// <inheritdoc/>
    public override LanguageModel CreateModel(ModelConfig config, ModelContext context)
        => new SquashingGpt(Name, config, context, own => DynamicSquash.Erf(config.HiddenSize, config.Alpha, own));

    /// <inheritdoc/>
    public override Encoder CreateEncoder(ModelConfig config, ModelContext context) => new(
        config, context, SquashingGpt.EncoderOf(
            config, own => DynamicSquash.Erf(config.HiddenSize, config.Alpha, own)));

    /// <inheritdoc/>
    protected override int ScalarsPerLayer => 2;

    /// <summary>The arcsine law E[erf(z)²] = 2/π · asin(2σ² / (1 + 2σ²)) (Williams 1997).</summary>
    /// <inheritdoc/>
    protected override InputFunction DescribeFunction(
        GraphParameters parameters, string prefix, double slope, double[] gain, double[] bias)
        => new ErfFunction(slope, parameters.Vector(prefix + "shift", 1)[0], gain, bias);

    /// <inheritdoc/>
    protected override double MeanSquare(double deviation)
    {
        var variance = 2 * deviation * deviation;
        return 2 / Math.PI * Math.Asin(variance / (1 + variance));
    }
}
