using AnTransformer.Studies.Statistics;
using AnTransformer.Studies.Tuning;

namespace AnTransformer.Studies.Comparison;

/// <summary>
/// A side against the reference at one size and one budget. All of it is over pairs of runs with the same seed.
/// </summary>
/// <param name="Side">The side's name.</param>
/// <param name="Budget">Tokens that both train on.</param>
/// <param name="Tokens">Speed-up in tokens to the reference's final loss, within the curve of one schedule.</param>
/// <param name="Flops">The same in floating-point operations of matrix products.</param>
/// <param name="Time">The same in seconds of training.</param>
/// <param name="Frontier">
/// Speed-up on the annealed frontier; null with fewer than two budgets, or while one has no result.
/// </param>
/// <param name="Difference">Final loss minus the reference's; null when no seed is common.</param>
public sealed record SideAgainstReference(
    string Side, double Budget, Estimate Tokens, Estimate Flops, Estimate Time, Estimate? Frontier,
    PairedDifference? Difference)
{
    /// <summary>
    /// The speed-up to name first: the annealed frontier's where it can be told, else that within a run.
    /// </summary>
    internal Estimate Headline => IsHeadlineFrontier ? Frontier! : Tokens;

    /// <summary>Whether that is the annealed frontier's.</summary>
    internal bool IsHeadlineFrontier => Frontier is { IsTold: true };

    /// <summary>Compares; null while one of the two has no completed run.</summary>
    /// <param name="reference">The reference.</param>
    /// <param name="side">The side.</param>
    /// <param name="budget">Index of the budget.</param>
    public static SideAgainstReference? Create(SideAtSize reference, SideAtSize side, int budget)
    {
        var (theirs, ours) = (reference.Budgets[budget], side.Budgets[budget]);
        if (theirs.Completed.Count == 0 || ours.Completed.Count == 0)
            return null;
        var seeds = theirs.Completed.Keys.Intersect(ours.Completed.Keys).Order().ToList();
        var diverged = theirs.DivergedSeeds.Union(ours.DivergedSeeds).Count();
        var speedUps = seeds.ToDictionary(seed => seed, seed => SpeedUp.InRun(theirs.Curves[seed], ours.Curves[seed]));
        return new SideAgainstReference(
            side.Side,
            theirs.Budget,
            Ratio(_ => 1),
            Ratio(seed => theirs.Completed[seed].FlopsPerToken / ours.Completed[seed].FlopsPerToken),
            Ratio(seed => ours.Completed[seed].TokensPerSecond / theirs.Completed[seed].TokensPerSecond),
            OnFrontier(theirs, side.Budgets),
            PairedDifference.Of(theirs.Losses, ours.Losses, diverged));

        Estimate Ratio(Func<long, double> cost)
            => Estimate.OfGeometricMean(seeds.ConvertAll(seed => speedUps[seed].Times(cost(seed))), diverged);
    }

    /// <summary>The speed-up on the annealed frontier: a seed's frontier is made of its runs at all budgets.</summary>
    private static Estimate? OnFrontier(CellOutcome reference, IReadOnlyList<CellOutcome> budgets)
    {
        if (budgets.Count < 2 || budgets.Any(outcome => outcome.Completed.Count == 0))
            return null;
        var seeds = budgets.Aggregate(
            reference.Completed.Keys, (common, outcome) => common.Intersect(outcome.Completed.Keys)).Order();
        double[] tokens = [.. budgets.Select(outcome => outcome.Budget)];
        return Estimate.OfGeometricMean(
            [.. seeds.Select(seed => SpeedUp.OnFrontier(
                reference.Budget, reference.Losses[seed], new AnnealedFrontier(
                    tokens, [.. budgets.Select(outcome => outcome.Losses[seed])])))],
            budgets.Aggregate(
                reference.DivergedSeeds.AsEnumerable(), (all, outcome) => all.Union(outcome.DivergedSeeds)).Count());
    }
}
