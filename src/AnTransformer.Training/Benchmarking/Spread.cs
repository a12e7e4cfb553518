namespace AnTransformer.Training.Benchmarking;

/// <summary>What repeated measurements gave.</summary>
/// <param name="Median">The middle one.</param>
/// <param name="Lowest">The smallest one.</param>
/// <param name="Highest">The largest one.</param>
public sealed record Spread(double Median, double Lowest, double Highest)
{
    private const double Confidence = 0.95;

    /// <summary>
    /// Lower end of an interval that holds the median of what is measured with a confidence of at least 95 %, whatever
    /// its distribution: a measurement, by its rank. Null where there are fewer than six.
    /// </summary>
    public double? MedianFrom { get; init; }

    /// <summary>Its upper end.</summary>
    public double? MedianTo { get; init; }

    /// <summary>Summarizes measurements.</summary>
    /// <param name="values">At least one number, in any order.</param>
    /// <exception cref="ArgumentException">There are none.</exception>
    public static Spread Of(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        if (sorted.Length == 0)
            throw new ArgumentException("No measurements to summarize.", nameof(values));
        var middle = sorted.Length / 2;
        var median = sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        var rank = RankOfBound(sorted.Length);
        return new Spread(median, sorted[0], sorted[^1])
        {
            MedianFrom = rank == 0 ? null : sorted[rank - 1],
            MedianTo = rank == 0 ? null : sorted[^rank],
        };
    }

    /// <summary>
    /// The quotient of two measurements that were interleaved, taken round by round, so that what slows a whole round
    /// down cancels.
    /// </summary>
    /// <param name="numerators">Measurements by round.</param>
    /// <param name="denominators">The other ones of the same rounds.</param>
    public static Spread OfRatios(IEnumerable<double> numerators, IEnumerable<double> denominators)
        => Of(numerators.Zip(denominators, (numerator, denominator) => numerator / denominator));

    /// <summary>
    /// The largest r for which the median lies between the r-th smallest and the r-th largest of n measurements with
    /// enough confidence: each is below it with probability 1/2, so that the number below is binomial. 0 for none.
    /// </summary>
    private static int RankOfBound(int count)
    {
        // 2⁻ⁿ is 0 for a machine; the normal law is as good there.
        if (count > 1000)
            return (int)Math.Floor((count / 2.0) - (0.98 * Math.Sqrt(count)));
        var rank = 0;
        // Of the number below: its probability, and the sum up to it, which may be half of what may be missed.
        var (probability, sum) = (Math.Pow(0.5, count), 0.0);
        while (sum + probability <= (1 - Confidence) / 2)
        {
            sum += probability;
            probability *= (double)(count - rank) / (rank + 1);
            rank++;
        }

        return rank;
    }
}
