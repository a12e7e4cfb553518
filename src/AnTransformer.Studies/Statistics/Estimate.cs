using MathNet.Numerics.Statistics;

namespace AnTransformer.Studies.Statistics;

/// <summary>A mean over seeds with its 95 % interval.</summary>
/// <param name="Value">The mean; not a number when no seed has a value.</param>
/// <param name="Interval">
/// Student's interval; null with fewer than two seeds, when a seed's value is but a bound, or when a seed diverged,
/// since an interval of the others would say nothing of it.
/// </param>
/// <param name="Bounds">Whether the mean is a bound, because a seed's value is.</param>
/// <param name="IsExtrapolated">Whether a seed's value lies beyond what was run.</param>
/// <param name="Seeds">Seeds that have a value.</param>
/// <param name="Diverged">Seeds that have none because a run of theirs diverged.</param>
public sealed record Estimate(
    double Value, Interval? Interval, Bounds Bounds, bool IsExtrapolated, int Seeds, int Diverged)
{
    /// <summary>Whether it is a number and not a bound.</summary>
    public bool IsTold => double.IsFinite(Value) && Bounds == Bounds.None;

    /// <summary>The geometric mean of ratios, with Student's interval of the mean of their logarithms.</summary>
    /// <param name="values">Positive values, one of each seed.</param>
    /// <param name="diverged">Seeds without a value because a run of theirs diverged.</param>
    public static Estimate OfGeometricMean(IReadOnlyCollection<SeedValue> values, int diverged = 0)
        => Of(values, diverged, numbers => numbers.GeometricMean(), StudentInterval.OfGeometricMean);

    /// <summary>The mean, with Student's interval.</summary>
    /// <param name="values">Values, one of each seed.</param>
    /// <param name="diverged">Seeds without a value because a run of theirs diverged.</param>
    public static Estimate OfMean(IReadOnlyCollection<SeedValue> values, int diverged = 0)
        => Of(values, diverged, numbers => numbers.Mean(), StudentInterval.OfMean);

    private static Estimate Of(
        IReadOnlyCollection<SeedValue> values, int diverged, Func<double[], double> mean,
        Func<double[], Interval?> interval)
    {
        double[] numbers = [.. values.Select(value => value.Value)];
        var bounds = values.Aggregate(Bounds.None, (all, value) => all | value.Bounds);
        return new Estimate(
            mean(numbers),
            bounds == Bounds.None && diverged == 0 ? interval(numbers) : null,
            bounds,
            values.Any(value => value.IsExtrapolated),
            numbers.Length,
            diverged);
    }
}
