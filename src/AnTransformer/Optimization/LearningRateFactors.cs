using AnTransformer.Architectures;

namespace AnTransformer.Optimization;

/// <summary>
/// Learning rates of the kinds of parameters as multiples of the step's. Adam changes every number by about the rate,
/// whatever it is a part of; these say how the change should depend on what the number does and on the length of the
/// row it is in.
/// </summary>
/// <param name="Embedding">Multiple for the token embedding.</param>
/// <param name="Hidden">Multiple for the blocks' matrices.</param>
/// <param name="Head">Multiple for the head.</param>
/// <param name="Scale">Multiple for gains and scales.</param>
/// <param name="WidthExponent">
/// p: a matrix's rate is multiplied by (<see cref="ReferenceWidth"/> / row length)^p as well. 0: one rate at all
/// widths; 0.5: a row of norm 1, as nGPT and anGPT have them, turns by the same angle at all widths.
/// </param>
public sealed record LearningRateFactors(
    double Embedding = 1, double Hidden = 1, double Head = 1, double Scale = 1, double WidthExponent = 0)
{
    /// <summary>The row length at which the exponent changes nothing.</summary>
    public const double ReferenceWidth = 256;

    /// <summary>The multiple for a parameter.</summary>
    /// <param name="role">What it does.</param>
    /// <param name="rowLength">Number of columns of a matrix; ignored for a vector.</param>
    public double Of(ParameterRole role, long rowLength)
        => role == ParameterRole.Scale
            ? Scale
            : Math.Pow(ReferenceWidth / rowLength, WidthExponent) * (role switch
            {
                ParameterRole.Embedding => Embedding,
                ParameterRole.Head => Head,
                _ => Hidden,
            });
}
