namespace AnTransformer.Optimization;

/// <summary>
/// Learning rates of the kinds of parameters as multiples of the step's. Adam changes every number by about the rate, whatever it is a
/// part of; these say how the change should depend on what the number does and on the width it is summed over.
/// </summary>
/// <param name="Embedding">Multiple for the token embedding.</param>
/// <param name="Hidden">Multiple for the blocks' matrices.</param>
/// <param name="Head">Multiple for the head.</param>
/// <param name="Scale">Multiple for gains and scales.</param>
/// <param name="FanInExponent">
/// p: the rates of the blocks' matrices and the head are multiplied by (<see cref="ReferenceFanIn"/> / in)^p as well. 0: one rate at all
/// widths; 0.5: a row of norm 1 turns by the same angle at all widths; 1: outputs change alike at all widths (μP, arXiv 2203.03466).
/// </param>
public sealed record LearningRateFactors(double Embedding = 1, double Hidden = 1, double Head = 1, double Scale = 1, double FanInExponent = 0)
{
    /// <summary>The input width at which the exponent changes nothing.</summary>
    public const double ReferenceFanIn = 256;

    /// <summary>The multiple for a parameter.</summary>
    /// <param name="role">What it does.</param>
    /// <param name="fanIn">Its input width; ignored for an embedding or a vector.</param>
    public double Of(ParameterRole role, long fanIn) => role switch
    {
        ParameterRole.Embedding => Embedding,
        ParameterRole.Scale => Scale,
        ParameterRole.Head => Head * OfWidth(fanIn),
        _ => Hidden * OfWidth(fanIn),
    };

    private double OfWidth(long fanIn) => Math.Pow(ReferenceFanIn / fanIn, FanInExponent);
}
