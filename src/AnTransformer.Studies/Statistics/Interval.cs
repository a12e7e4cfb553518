using MathNet.Numerics.Statistics;

namespace AnTransformer.Studies.Statistics;

/// <summary>A 95 % interval: Student's of means over seeds, or percentiles of fits to resampled rows.</summary>
/// <param name="Low">Its lower end.</param>
/// <param name="High">Its upper end.</param>
public sealed record Interval(double Low, double High)
{
    /// <summary>Probability below the lower end, and above the upper one.</summary>
    public const double Tail = 0.025;

    /// <summary>Fewest estimates whose percentiles say anything about 2.5 % tails.</summary>
    public const int FewestEstimates = 20;

    /// <summary>Whether zero lies inside.</summary>
    public bool SpansZero => Low <= 0 && High >= 0;

    /// <summary>The 2.5th and 97.5th percentiles of estimates, interpolated linearly between neighbours.</summary>
    /// <param name="estimates">Estimates; those that are not finite are left out.</param>
    /// <returns>The interval, or null with fewer than <see cref="FewestEstimates"/>.</returns>
    public static Interval? OfPercentiles(IEnumerable<double> estimates)
    {
        double[] sorted = [.. estimates.Where(double.IsFinite).Order()];
        return sorted.Length < FewestEstimates ? null : new Interval(Percentile(Tail), Percentile(1 - Tail));

        double Percentile(double share) => SortedArrayStatistics.QuantileCustom(sorted, share, QuantileDefinition.R7);
    }
}
