using AnTransformer.Studies.Statistics;

namespace AnTransformer.Studies.Scaling.Fitting;

/// <summary>A law as fitted to the data, and to resamples of its rows.</summary>
/// <typeparam name="TLaw">The law.</typeparam>
/// <param name="Law">The fit to the data.</param>
/// <param name="Resamples">The fits to resamples, null where one failed; in the order of the seeds.</param>
/// <param name="Quality">How good the fit is.</param>
public sealed record Fitted<TLaw>(TLaw Law, IReadOnlyList<TLaw?> Resamples, FitQuality Quality)
    where TLaw : class
{
    /// <summary>How many resamples could not be fitted.</summary>
    public int FailedResamples => Resamples.Count(law => law is null);

    /// <summary>The 95 % bootstrap interval of a number; null where too few resamples could be fitted.</summary>
    /// <param name="quantity">The number.</param>
    public Interval? IntervalOf(Func<TLaw, double> quantity)
        => Interval.OfPercentiles(Resamples.OfType<TLaw>().Select(quantity).Where(double.IsFinite));

    /// <summary>The 95 % bootstrap interval of the difference of a number from that of an independent fit.</summary>
    /// <param name="other">What is subtracted.</param>
    /// <param name="quantity">The number.</param>
    public Interval? IntervalOfDifference(Fitted<TLaw> other, Func<TLaw, double> quantity)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Interval.OfPercentiles(Resamples.Zip(other.Resamples)
            .Where(pair => pair.First is not null && pair.Second is not null)
            .Select(pair => quantity(pair.First!) - quantity(pair.Second!))
            .Where(double.IsFinite));
    }
}

/// <summary>How good a fit is.</summary>
/// <param name="Rows">Rows fitted.</param>
/// <param name="HuberSum">
/// Sum of Huber losses of log residuals, the objective as published; NaN where least squares was used.
/// </param>
/// <param name="RootMeanSquare">Root mean square of log residuals, for losses near the relative error.</param>
/// <param name="MeanAbsolute">Mean absolute log residual.</param>
/// <param name="Descents">How many descents there were.</param>
/// <param name="Agreeing">How many of them ended in this minimum.</param>
public sealed record FitQuality(
    int Rows, double HuberSum, double RootMeanSquare, double MeanAbsolute, int Descents, int Agreeing)
{
    internal static FitQuality Of(double[] residuals, double huberSum, int descents = 1, int agreeing = 1) => new(
        residuals.Length,
        huberSum,
        Math.Sqrt(residuals.Average(residual => residual * residual)),
        residuals.Average(Math.Abs),
        descents,
        agreeing);
}
