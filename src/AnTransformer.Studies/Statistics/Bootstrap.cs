namespace AnTransformer.Studies.Statistics;

/// <summary>
/// Percentile bootstrap over seeds: every group of runs is resampled with replacement, independently of the others. Always the same random
/// numbers. With few seeds such intervals are too narrow, which no resampling can mend.
/// </summary>
public static class Bootstrap
{
    /// <summary>Number of resamples.</summary>
    public const int Resamples = 10_000;

    private const int RandomSeed = 0;
    private const double MostLeftOut = 0.1;

    /// <summary>The 95 % interval of a statistic; null when it cannot be told.</summary>
    /// <param name="sizes">Members of each group.</param>
    /// <param name="statistic">The statistic of the members drawn, by group; what is not a number is left out.</param>
    public static Interval? Run(IReadOnlyList<int> sizes, Func<int[][], double> statistic) => Run(sizes, statistic, out _);

    /// <summary>
    /// The 95 % interval of a statistic; null when a group has fewer than two members, or when the statistic is not a number in more than a
    /// tenth of the resamples, since what is left then tells little of the whole.
    /// </summary>
    /// <param name="sizes">Members of each group.</param>
    /// <param name="statistic">The statistic of the members drawn, by group; what is not a number is left out.</param>
    /// <param name="leftOut">Share of the resamples left out.</param>
    public static Interval? Run(IReadOnlyList<int> sizes, Func<int[][], double> statistic, out double leftOut)
    {
        leftOut = 0;
        if (sizes.Any(size => size < 2))
            return null;
        var random = new Random(RandomSeed);
        var drawn = sizes.Select(size => new int[size]).ToArray();
        var values = new List<double>(Resamples);
        for (var i = 0; i < Resamples; i++)
        {
            foreach (var group in drawn)
            {
                for (var j = 0; j < group.Length; j++)
                    group[j] = random.Next(group.Length);
            }

            var value = statistic(drawn);
            if (!double.IsNaN(value))
                values.Add(value);
        }

        leftOut = 1 - ((double)values.Count / Resamples);
        if (leftOut > MostLeftOut)
            return null;
        return Interval.Of(values);
    }
}

/// <summary>An estimate with its interval.</summary>
/// <param name="Value">The point estimate.</param>
/// <param name="Interval">Its 95 % interval; null with fewer than two seeds, or when too many resamples had to be left out.</param>
/// <param name="LeftOut">Share of the bootstrap's resamples in which it was not a number.</param>
public sealed record Estimate(double Value, Interval? Interval, double LeftOut = 0)
{
    /// <summary>The estimate of a statistic, with the value of all members and the interval of resamples.</summary>
    /// <param name="value">The point estimate.</param>
    /// <param name="sizes">Members of each group.</param>
    /// <param name="statistic">The statistic of the members drawn, by group.</param>
    public static Estimate Of(double value, IReadOnlyList<int> sizes, Func<int[][], double> statistic)
    {
        var interval = Bootstrap.Run(sizes, statistic, out var leftOut);
        return new Estimate(value, interval, leftOut);
    }

    /// <summary>The estimate of a multiple.</summary>
    /// <param name="factor">A positive factor.</param>
    public Estimate Times(double factor) => new(Value * factor, Interval?.Times(factor), LeftOut);
}
