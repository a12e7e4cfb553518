namespace AnTransformer.Studies.Scaling;

/// <summary>A 95 % interval: the 2.5th and 97.5th percentiles of resampled estimates (Efron 1979).</summary>
/// <param name="Low">Lower end.</param>
/// <param name="High">Upper end.</param>
public sealed record Interval(double Low, double High)
{
    /// <summary>Fewest estimates whose percentiles say anything about 2.5 % tails.</summary>
    public const int FewestEstimates = 20;

    /// <summary>Whether zero lies inside.</summary>
    public bool SpansZero => Low <= 0 && High >= 0;

    /// <summary>The percentiles of estimates, interpolated linearly between neighbours.</summary>
    /// <param name="estimates">Estimates; those that are not finite are left out.</param>
    /// <returns>The interval, or null with fewer than <see cref="FewestEstimates"/>.</returns>
    public static Interval? Of(IEnumerable<double> estimates)
    {
        var sorted = estimates.Where(double.IsFinite).Order().ToList();
        return sorted.Count < FewestEstimates ? null : new Interval(Percentile(sorted, 0.025), Percentile(sorted, 0.975));
    }

    private static double Percentile(List<double> sorted, double share)
    {
        var at = share * (sorted.Count - 1);
        var below = (int)at;
        return below + 1 == sorted.Count ? sorted[below] : sorted[below] + ((at - below) * (sorted[below + 1] - sorted[below]));
    }
}
