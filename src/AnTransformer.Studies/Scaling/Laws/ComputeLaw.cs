namespace AnTransformer.Studies.Scaling.Laws;

/// <summary>
/// L(C) = L∞ + k / C^γ: the least loss that compute buys (Kaplan et al. 2020, arXiv 2001.08361, eq. 1.3, with a floor).
/// </summary>
/// <param name="Floor">L∞, the irreducible loss; 0 where it was fixed there.</param>
/// <param name="Scale">k.</param>
/// <param name="Exponent">γ.</param>
public sealed record ComputeLaw(double Floor, double Scale, double Exponent)
{
    /// <summary>The predicted loss.</summary>
    /// <param name="compute">C in FLOP.</param>
    public double Loss(double compute) => Floor + (Scale * Math.Pow(compute, -Exponent));
}
