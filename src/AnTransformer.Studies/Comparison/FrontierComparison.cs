using AnTransformer.Studies.Statistics;
using AnTransformer.Studies.Tuning;

namespace AnTransformer.Studies.Comparison;

/// <summary>The speed-up on the annealed frontier with its interval.</summary>
/// <param name="Estimate">The estimate.</param>
/// <param name="Reach">Whether the budgets that were run enclose it.</param>
internal sealed record FrontierComparison(Estimate Estimate, FrontierReach Reach)
{
    /// <summary>Computes it at one of the reference's budgets; null with fewer than two budgets, or while one has no completed run.</summary>
    public static FrontierComparison? Create(SideAtSize reference, SideAtSize side, int budget)
    {
        if (side.Budgets.Count < 2 || side.Budgets.Any(outcome => outcome.Completed.Count == 0))
            return null;
        var targets = Ordered(reference.Budgets[budget]);
        // A seed is drawn with its runs at all budgets, since they share initial weights and data order.
        var seeds = side.Budgets.Select(outcome => outcome.Completed.Keys).Aggregate((IEnumerable<long> a, IEnumerable<long> b) => a.Intersect(b)).Order().ToList();
        if (seeds.Count == 0)
            return null;
        var losses = side.Budgets.Select(outcome => seeds.ConvertAll(seed => outcome.Completed[seed].LossOrInfinity)).ToList();
        var budgets = side.Budgets.Select(outcome => outcome.Budget).ToList();
        var budgetTokens = reference.Budgets[budget].Budget;
        var point = SpeedUp.OfFrontier(budgetTokens, targets.Average(), new Frontier(budgets, losses.ConvertAll(values => values.Average())));
        var estimate = Estimate.Of(
            point.Value,
            [targets.Count, seeds.Count],
            drawn => SpeedUp.OfFrontier(
                budgetTokens,
                drawn[0].Average(i => targets[i]),
                new Frontier(budgets, losses.ConvertAll(values => drawn[1].Average(i => values[i])))).Value);
        return new FrontierComparison(estimate, point.Reach);
    }

    private static List<double> Ordered(CellOutcome outcome) => outcome.Losses.OrderBy(item => item.Key).Select(item => item.Value).ToList();
}
