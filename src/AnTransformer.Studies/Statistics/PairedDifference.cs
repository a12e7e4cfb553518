using MathNet.Numerics.Distributions;

namespace AnTransformer.Studies.Statistics;

/// <summary>The mean difference of two runs' final losses with the same seed.</summary>
/// <param name="Value">Mean of side minus reference, in nats per token.</param>
/// <param name="Bootstrap">Percentile bootstrap interval over seeds; null with fewer than two.</param>
/// <param name="Student">Student's t interval, wider and more honest with few seeds; null with fewer than two.</param>
/// <param name="Pairs">Number of seeds that both have.</param>
public sealed record PairedDifference(double Value, Interval? Bootstrap, Interval? Student, int Pairs)
{
    /// <summary>Computes it; null when no seed is common.</summary>
    /// <param name="reference">Losses of the reference by seed.</param>
    /// <param name="side">Losses of the side by seed.</param>
    public static PairedDifference? Of(IReadOnlyDictionary<long, double> reference, IReadOnlyDictionary<long, double> side)
    {
        var differences = side.Where(item => reference.ContainsKey(item.Key)).OrderBy(item => item.Key)
            .Select(item => item.Value - reference[item.Key]).ToArray();
        if (differences.Length == 0)
            return null;
        return new PairedDifference(
            differences.Average(),
            Statistics.Bootstrap.Run([differences.Length], drawn => drawn[0].Average(i => differences[i])),
            StudentInterval(differences),
            differences.Length);
    }

    private static Interval? StudentInterval(double[] values)
    {
        if (values.Length < 2)
            return null;
        var mean = values.Average();
        var deviation = Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1));
        var half = StudentT.InvCDF(0, 1, values.Length - 1, 0.975) * deviation / Math.Sqrt(values.Length);
        return new Interval(mean - half, mean + half);
    }
}
