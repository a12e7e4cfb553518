namespace AnTransformer.Studies.Statistics;

/// <summary>A 95 % interval: the 2.5th and 97.5th percentiles of resampled estimates (Efron 1979), or Student's.</summary>
/// <param name="Low">Its lower end.</param>
/// <param name="High">Its upper end.</param>
public sealed record Interval(double Low, double High)
{
    /// <summary>Fewest estimates whose percentiles say anything about 2.5 % tails.</summary>
    public const int FewestEstimates = 20;

    private const double Tail = 0.025;

    /// <summary>Whether zero lies inside.</summary>
    public bool SpansZero => Low <= 0 && High >= 0;

    /// <summary>The percentiles of estimates, interpolated linearly between neighbours.</summary>
    /// <param name="estimates">Estimates; those that are not numbers are left out.</param>
    /// <returns>The interval, or null with fewer than <see cref="FewestEstimates"/>.</returns>
    public static Interval? Of(IEnumerable<double> estimates)
    {
        var sorted = estimates.Where(value => !double.IsNaN(value)).Order().ToList();
        return sorted.Count < FewestEstimates ? null : new Interval(Percentile(sorted, Tail), Percentile(sorted, 1 - Tail));
    }

    /// <summary>The interval of a multiple.</summary>
    /// <param name="factor">A positive factor.</param>
    public Interval Times(double factor) => new(Low * factor, High * factor);

    private static double Percentile(List<double> sorted, double share)
    {
        var position = share * (sorted.Count - 1);
        var below = (int)position;
        var above = Math.Min(below + 1, sorted.Count - 1);
        // Equal neighbours may both be infinite.
        return sorted[below] == sorted[above] ? sorted[below] : sorted[below] + ((position - below) * (sorted[above] - sorted[below]));
    }
}
