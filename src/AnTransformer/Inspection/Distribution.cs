using static TorchSharp.torch;

namespace AnTransformer.Inspection;

/// <summary>
/// A set of numbers in a few figures. Numbers that are not finite make the figures they enter not finite.
/// </summary>
/// <param name="Count">How many numbers.</param>
/// <param name="Mean">Mean.</param>
/// <param name="RootMeanSquare">√ of the mean square: for norms √E‖x‖², which is what a factor ν normalizes.</param>
/// <param name="Deviation">Standard deviation.</param>
/// <param name="Lowest">Smallest.</param>
/// <param name="P5">5 % quantile.</param>
/// <param name="Median">50 % quantile.</param>
/// <param name="P95">95 % quantile.</param>
/// <param name="Highest">Largest.</param>
public sealed record Distribution(
    long Count,
    double Mean,
    double RootMeanSquare,
    double Deviation,
    double Lowest,
    double P5,
    double Median,
    double P95,
    double Highest)
{
    /// <summary>Summarizes numbers.</summary>
    /// <param name="values">At least one number; sorted by this method.</param>
    public static Distribution Of(double[] values)
    {
        var mean = values.Average();
        Array.Sort(values);     // not-a-numbers come first
        return new Distribution(
            values.Length,
            mean,
            Math.Sqrt(values.Average(value => value * value)),
            Math.Sqrt(values.Average(value => (value - mean) * (value - mean))),
            values[0],
            Quantile(values, 0.05),
            Quantile(values, 0.5),
            Quantile(values, 0.95),
            values[^1]);
    }

    /// <summary>Summarizes the entries of a tensor.</summary>
    /// <param name="values">Any shape, device and dtype.</param>
    public static Distribution Of(Tensor values) => Of(Numbers(values));

    /// <summary>The entries of a tensor.</summary>
    internal static double[] Numbers(Tensor values)
    {
        using var scope = NewDisposeScope();
        return values.detach().to(ScalarType.Float64).cpu().contiguous().data<double>().ToArray();
    }

    private static double Quantile(double[] sorted, double share)
    {
        var place = share * (sorted.Length - 1);
        var below = (int)place;
        var above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + ((place - below) * (sorted[above] - sorted[below]));
    }
}
