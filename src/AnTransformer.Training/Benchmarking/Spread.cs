namespace AnTransformer.Training.Benchmarking;

/// <summary>What repeated measurements gave.</summary>
/// <param name="Median">The middle one.</param>
/// <param name="Lowest">The smallest one.</param>
/// <param name="Highest">The largest one.</param>
public sealed record Spread(double Median, double Lowest, double Highest)
{
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
        return new Spread(median, sorted[0], sorted[^1]);
    }

    /// <summary>
    /// The quotient of two measurements that were interleaved, taken round by round, so that what slows a whole round
    /// down cancels.
    /// </summary>
    /// <param name="numerators">Measurements by round.</param>
    /// <param name="denominators">The other ones of the same rounds.</param>
    public static Spread OfRatios(IEnumerable<double> numerators, IEnumerable<double> denominators)
        => Of(numerators.Zip(denominators, (numerator, denominator) => numerator / denominator));
}
