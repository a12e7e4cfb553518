using AnTransformer.Studies.Statistics;
using AnTransformer.Studies.Tuning;

namespace AnTransformer.Studies.BatchSizes;

/// <summary>A side's loss by batch size.</summary>
/// <param name="Side">The side's name.</param>
/// <param name="Batches">Batch sizes in sequences, ascending.</param>
/// <param name="Outcomes">Outcomes, as many.</param>
/// <param name="Largest">The largest batch whose mean loss is within the tolerance of the best, interpolated; null while nothing is known.</param>
/// <param name="IsAtLeast">Whether that is the largest batch that was run, so that the true one may be larger.</param>
internal sealed record SideByBatch(
    string Side, IReadOnlyList<long> Batches, IReadOnlyList<CellOutcome> Outcomes, Estimate? Largest, bool IsAtLeast)
{
    /// <summary>Tolerated share above the best loss.</summary>
    public const double Share = 0.01;

    public static SideByBatch Create(string side, IReadOnlyList<long> batches, IReadOnlyList<CellOutcome> outcomes)
    {
        // A batch at which every rate diverged is known, too: nothing may be read across it.
        var known = Enumerable.Range(0, batches.Count).Where(i => outcomes[i].Completed.Count > 0 || IsLost(outcomes[i])).ToList();
        var sizes = known.ConvertAll(i => (double)batches[i]);
        var losses = known.ConvertAll(i => LossesOf(outcomes[i]));
        if (Tolerance.Of(sizes, losses.ConvertAll(values => values.Average()), Share) is not { } point)
            return new SideByBatch(side, batches, outcomes, Largest: null, IsAtLeast: false);
        var largest = Estimate.Of(
            point.High,
            losses.ConvertAll(values => values.Count),
            drawn => Tolerance.Of(sizes, losses.Zip(drawn, (values, indices) => indices.Average(i => values[i])).ToList(), Share)!.High);
        return new SideByBatch(side, batches, outcomes, largest, point.HighIsEdge);
    }

    private static bool IsLost(CellOutcome outcome) => outcome.Search is { IsDecided: true, Best: null };

    private static List<double> LossesOf(CellOutcome outcome)
        => IsLost(outcome) ? [.. outcome.Cell.Settings.Seeds.Select(_ => double.PositiveInfinity)]
            : [.. outcome.Losses.OrderBy(item => item.Key).Select(item => item.Value)];
}
