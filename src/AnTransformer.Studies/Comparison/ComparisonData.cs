using AnTransformer.Studies.Tuning;

namespace AnTransformer.Studies.Comparison;

/// <summary>A comparison for other programs.</summary>
internal static class ComparisonData
{
    public static object Of(IReadOnlyList<SizeComparison> sizes)
        => sizes.Select(size => new
        {
            size.Size,
            Sides = size.Sides.SelectMany(side => side.Budgets.Select(outcome => Side(side.Side, outcome))).ToList(),
            size.Against,
        }).ToList();

    private static object Side(string side, CellOutcome outcome) => new
    {
        Side = side,
        outcome.Budget,
        LearningRate = outcome.Search.BestRate,
        outcome.Search.IsAtEdge,
        outcome.Search.Rates,
        TuningLosses = outcome.Search.Losses,
        outcome.Losses,
        outcome.MeanLoss,
        outcome.Deviation,
        outcome.MeanBitsPerByte,
        outcome.TokensPerSecond,
        outcome.DivergedAtBest,
        outcome.DivergedByRate,
    };
}
