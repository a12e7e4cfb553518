using AnTransformer.Studies.Statistics;
using AnTransformer.Studies.Tuning;

namespace AnTransformer.Studies.BatchSizes;

/// <summary>A side's loss by batch size.</summary>
/// <param name="Side">The side's name.</param>
/// <param name="Batches">Batch sizes in sequences, ascending.</param>
/// <param name="Outcomes">Outcomes, as many.</param>
/// <param name="Largest">
/// The largest batch whose loss is within the tolerance of the best, interpolated; null while nothing is known.
/// </param>
internal sealed record SideByBatch(
    string Side, IReadOnlyList<long> Batches, IReadOnlyList<CellOutcome> Outcomes, Estimate? Largest)
{
    /// <summary>Tolerated share above the best loss.</summary>
    public const double Share = 0.01;

    public static SideByBatch Create(string side, IReadOnlyList<long> batches, IReadOnlyList<CellOutcome> outcomes)
    {
        // A batch at which every rate diverged is known, too: nothing may be read across it.
        var known = Enumerable.Range(0, batches.Count)
            .Where(i => outcomes[i].Completed.Count > 0 || IsLost(outcomes[i])).ToList();
        var tuned = known.Where(i => !IsLost(outcomes[i])).Select(i => outcomes[i]).ToList();
        if (tuned.Count == 0)
            return new SideByBatch(side, batches, outcomes, Largest: null);
        var seeds = tuned.Skip(1)
            .Aggregate(tuned[0].Completed.Keys, (common, outcome) => common.Intersect(outcome.Completed.Keys)).Order()
            .ToList();
        var tolerances = Tolerance.BySeed(
            known.ConvertAll(i => (double)batches[i]),
            known.ConvertAll(
                i => seeds.ConvertAll(
                    seed => IsLost(outcomes[i]) ? double.PositiveInfinity : outcomes[i].Losses[seed])),
            Share);
        var largest = tolerances.Count == 0 ? null : Estimate.OfGeometricMean(
            [.. tolerances.Select(
                tolerance => new SeedValue(tolerance.High, tolerance.HighIsBound ? Bounds.AtLeast : Bounds.None))],
            tuned.SelectMany(outcome => outcome.DivergedSeeds).Distinct().Count());
        return new SideByBatch(side, batches, outcomes, largest);
    }

    private static bool IsLost(CellOutcome outcome) => outcome.Search is { IsDecided: true, Best: null };
}
