using AnTransformer.Studies.Tuning;

namespace AnTransformer.Studies.Reporting;

/// <summary>What is known of a cell, for other programs.</summary>
internal sealed record OutcomeData(
    double Budget,
    double? LearningRate,
    bool IsAtEdge,
    IReadOnlyList<double> Rates,
    IReadOnlyList<double?> TuningLosses,
    IReadOnlyDictionary<long, double> Losses,
    double? MeanLoss,
    double? Deviation,
    double? MeanBitsPerByte,
    double? TokensPerSecond,
    int DivergedAtBest,
    IReadOnlyList<RateDivergence> DivergedByRate)
{
    public static OutcomeData Of(CellOutcome outcome) => new(
        outcome.Budget,
        outcome.Search.BestRate,
        outcome.Search.IsAtEdge,
        outcome.Search.Rates,
        outcome.Search.Losses,
        outcome.Losses,
        outcome.MeanLoss,
        outcome.Deviation,
        outcome.MeanBitsPerByte,
        outcome.TokensPerSecond,
        outcome.DivergedSeeds.Count,
        outcome.DivergedByRate);
}
