namespace AnTransformer.Studies.Statistics;

/// <summary>The mean difference of two runs' final losses with the same seed.</summary>
/// <param name="Value">Mean of side minus reference, in nats per token.</param>
/// <param name="Interval">
/// Student's 95 % interval over pairs; null with fewer than two, or when a seed diverged.
/// </param>
/// <param name="Pairs">Number of seeds that both have.</param>
public sealed record PairedDifference(double Value, Interval? Interval, int Pairs)
{
    /// <summary>Computes it; null when no seed is common.</summary>
    /// <param name="reference">Losses of the reference by seed.</param>
    /// <param name="side">Losses of the side by seed.</param>
    /// <param name="diverged">Seeds left out because a run of theirs diverged: with any, there is no interval.</param>
    public static PairedDifference? Of(
        IReadOnlyDictionary<long, double> reference, IReadOnlyDictionary<long, double> side, int diverged = 0)
    {
        double[] differences = [.. side.Where(item => reference.ContainsKey(item.Key)).OrderBy(item => item.Key)
            .Select(item => item.Value - reference[item.Key])];
        return differences.Length == 0 ? null
            : new PairedDifference(
                differences.Average(), diverged == 0 ? StudentInterval.OfMean(differences) : null, differences.Length);
    }
}
