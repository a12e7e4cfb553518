using MathNet.Numerics.Distributions;
using MathNet.Numerics.Statistics;

namespace AnTransformer.Studies.Statistics;

/// <summary>
/// Student's t interval of a mean: mean ± t(n − 1) · s / √n. Exact for normal values however few they are; what it is
/// applied to here, paired differences of losses and logarithms of ratios of one seed each, is close to normal.
/// </summary>
public static class StudentInterval
{
    /// <summary>The 95 % interval of the mean; null with fewer than two values or when one is not finite.</summary>
    /// <param name="values">Independent values, one of each seed.</param>
    public static Interval? OfMean(IReadOnlyCollection<double> values)
    {
        if (values.Count < 2 || !values.All(double.IsFinite))
            return null;
        var (mean, deviation) = values.MeanStandardDeviation();
        var half = StudentT.InvCDF(0, 1, values.Count - 1, 1 - Interval.Tail) * deviation / Math.Sqrt(values.Count);
        return new Interval(mean - half, mean + half);
    }

    /// <summary>
    /// The 95 % interval of the geometric mean, that is, of the mean of logarithms; null as for <see cref="OfMean"/>.
    /// </summary>
    /// <param name="values">Independent positive values, one of each seed.</param>
    public static Interval? OfGeometricMean(IReadOnlyCollection<double> values)
        => OfMean([.. values.Select(value => Math.Log(value))]) is { } logarithms
            ? new Interval(Math.Exp(logarithms.Low), Math.Exp(logarithms.High))
            : null;
}
