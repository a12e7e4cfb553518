using AnTransformer.Studies.Configuration;
using AnTransformer.Studies.Reporting;
using AnTransformer.Studies.Statistics;
using AnTransformer.Studies.Tuning;

namespace AnTransformer.Studies.Comparison;

/// <summary>Puts a comparison into words, tables and figures.</summary>
internal static class ComparisonFindings
{
    private const string SpeedUpNote =
        "Speed-up: how many times fewer tokens (operations, seconds) than the reference a side needs to reach the loss "
            + "that the reference ends "
        + "with. \"In a run\" reads this off the curve of a whole run, which is not annealed at that point; the "
        + "annealed frontier compares runs "
        + "that each ended there. Geometric means over seeds, each seed's run against the reference's with the same "
        + "seed; loss difference: mean "
        + "of the side's final loss minus the reference's with the same seed, in nats per token. In brackets: "
        + "Student's 95 % intervals over "
        + "seeds, of logarithms for speed-ups. A bound (≥, ≤), and what a diverged seed is missing from, has none.";

    public static StudyFindings Create(IReadOnlyList<SizeComparison> sizes, CompareConfiguration settings)
        => new(
            Lead(sizes, settings),
            Warnings(sizes, settings).ToList(),
            [SpeedUps(sizes, settings), Losses(sizes), LearningRateTable.Of(
                ["side", "size", "budget"], Outcomes(sizes).Select(Named))],
            ComparisonFigures.All(sizes, settings),
            ComparisonData.Of(sizes));

    private static string Lead(IReadOnlyList<SizeComparison> sizes, CompareConfiguration settings)
    {
        var sentences = sizes
            .SelectMany(size => size.Sides.Select(side => size.Largest(side.Side)).OfType<SideAgainstReference>()
            .Select(item => Sentence(item, size.Size, settings.Reference))).ToList();
        return sentences.Count > 0 ? string.Join(" ", sentences) : "No side has been compared with the reference yet.";
    }

    private static string Sentence(SideAgainstReference item, string size, string reference)
    {
        var best = item.Headline;
        var how = item.IsHeadlineFrontier ? "on the annealed frontier" : "in a run";
        var at = size.Length > 0 ? $" at {size}" : "";
        return $"{item.Side}{at} reaches {reference}'s loss of {Cells.Count(item.Budget)} tokens {Cells.Factor(best)} "
            + $"as fast {how} ({Verdict(best)}).";
    }

    private static string Verdict(Estimate estimate) => estimate switch
    {
        { Interval.Low: > 1 } => "95 % interval above 1",
        { Interval.High: < 1 } => "95 % interval below 1",
        { Interval: not null } => "not distinguishable from 1",
        { Diverged: > 0 } => "seeds diverged: no interval",
        { Bounds: not Bounds.None } => "a bound: no interval",
        _ => "one seed: no interval",
    };

    private static IEnumerable<string> Warnings(IReadOnlyList<SizeComparison> sizes, CompareConfiguration settings)
    {
        if (sizes.Any(size => size.Against.Any(item => item.Tokens.Bounds != Bounds.None)))
            yield return "Some losses were reached at the first evaluation already, so those speed-ups are bounds: "
                + "choose a smaller evaluation.interval.";
        if (sizes.Any(size => size.Against.Any(item => item.Frontier is { Bounds: not Bounds.None })))
            yield return "Some losses lie far beyond the budgets, so those speed-ups on the annealed frontier are "
                + "bounds: add budgets in max_tokens.";
        var outcomes = Outcomes(sizes).Select(item => (
            string.Join(" at ", new[] { item.Side, item.Size }.Where(text => text.Length > 0))
                + $", {Cells.Count(item.Outcome.Budget)} tokens", item.Outcome));
        foreach (var warning in TuningWarnings.Of(settings, outcomes))
            yield return warning;
    }

    private static ReportTable SpeedUps(IReadOnlyList<SizeComparison> sizes, CompareConfiguration settings)
        => new(
            $"Speed-up against {settings.Reference}",
            [
                "side", "size", "budget", "seeds", "tokens, annealed frontier", "tokens, in a run", "FLOP, in a run",
                "time, in a run",
                "loss difference",
            ],
            sizes.SelectMany(size => size.Against.Select(item => (IReadOnlyList<string>)
            [
                item.Side,
                size.Size,
                Cells.Count(item.Budget),
                $"{item.Tokens.Seeds}",
                Cells.Factor(item.Frontier),
                Cells.Factor(item.Tokens),
                Cells.Factor(item.Flops),
                Cells.Factor(item.Time),
                Cells.Difference(item.Difference),
            ])).ToList(),
            SpeedUpNote);

    private static ReportTable Losses(IReadOnlyList<SizeComparison> sizes)
        => new(
            "Final loss at the best learning rate",
            ["side", "size", "budget", "parameters", "learning rate", "seeds", "loss", "deviation", "bits per byte",
                "tokens/s"],
            Outcomes(sizes).Select(item => (IReadOnlyList<string>)
            [
                item.Side,
                item.Size,
                Cells.Count(item.Outcome.Budget),
                Cells.Count(item.Outcome.Completed.Values.FirstOrDefault()?.Params),
                Cells.Rate(item.Outcome.Search.BestRate),
                $"{item.Outcome.Completed.Count}",
                Cells.Loss(item.Outcome.MeanLoss),
                Cells.Loss(item.Outcome.Deviation),
                Cells.Loss(item.Outcome.MeanBitsPerByte),
                Cells.Count(item.Outcome.TokensPerSecond),
            ]).ToList(),
            "Means over seeds of the validation loss in nats per token at the end of the run.");

    private static (IReadOnlyList<string> Names, CellOutcome Outcome) Named(
        (string Side, string Size, CellOutcome Outcome) item)
        => ([item.Side, item.Size, Cells.Count(item.Outcome.Budget)], item.Outcome);

    private static IEnumerable<(string Side, string Size, CellOutcome Outcome)> Outcomes(
        IReadOnlyList<SizeComparison> sizes)
        => sizes.SelectMany(
            size => size.Sides.SelectMany(side => side.Budgets.Select(outcome => (side.Side, size.Size, outcome))));
}
