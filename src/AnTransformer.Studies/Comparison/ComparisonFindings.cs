using AnTransformer.Studies.Configuration;
using AnTransformer.Studies.Reporting;
using AnTransformer.Studies.Statistics;
using AnTransformer.Studies.Tuning;

namespace AnTransformer.Studies.Comparison;

/// <summary>Puts a comparison into words, tables and figures.</summary>
internal static class ComparisonFindings
{
    private const string SpeedUpNote =
        "Speed-up: how many times fewer tokens (operations, seconds) than the reference a side needs to reach the loss that the reference ends "
        + "with. \"In a run\" reads this off the curve of a whole run, which is not annealed at that point; the annealed frontier compares runs "
        + "that each ended there. In brackets: 95 % bootstrap intervals over seeds.";

    // A few odd resamples of ten thousand move no interval.
    private const double ReportedShare = 0.01;

    public static StudyFindings Create(IReadOnlyList<SizeComparison> sizes, CompareConfiguration settings)
        => new(
            Lead(sizes, settings),
            Warnings(sizes, settings).ToList(),
            [SpeedUps(sizes, settings), Losses(sizes), LearningRateTable.Of(["side", "size", "budget"], Outcomes(sizes).Select(Named))],
            ComparisonFigures.All(sizes, settings),
            ComparisonData.Of(sizes));

    private static string Lead(IReadOnlyList<SizeComparison> sizes, CompareConfiguration settings)
    {
        var sentences = sizes.SelectMany(size => size.Sides.Select(side => size.Largest(side.Side)).OfType<SideAgainstReference>()
            .Select(item => Sentence(item, size.Size, settings.Reference))).ToList();
        return sentences.Count > 0 ? string.Join(" ", sentences) : "No side has been compared with the reference yet.";
    }

    private static string Sentence(SideAgainstReference item, string size, string reference)
    {
        var best = item.Headline;
        var how = item.IsHeadlineFrontier ? "on the annealed frontier" + Reach(item) : "in a run" + Bound(item);
        var verdict = best.Interval is not { } interval ? (best.LeftOut > 0 ? "(no interval)" : "(one seed: no interval)")
            : interval.Low > 1 ? "(95 % interval above 1)"
            : interval.High < 1 ? "(95 % interval below 1)"
            : "(not distinguishable from 1)";
        var at = size.Length > 0 ? $" at {size}" : "";
        return $"{item.Side}{at} reaches {reference}'s loss of {Cells.Count(item.Budget)} tokens {Cells.Factor(best)} as fast {how} {verdict}.";
    }

    private static IEnumerable<string> Warnings(IReadOnlyList<SizeComparison> sizes, CompareConfiguration settings)
    {
        if (sizes.Any(size => size.Against.Any(item => item.IsBound)))
            yield return "Some losses were reached at the first evaluation already, so those speed-ups are bounds: choose a smaller evaluation.interval.";
        foreach (var (item, size) in sizes.SelectMany(size => size.Against.Select(item => (item, size.Size))))
        {
            var name = string.Join(" at ", new[] { item.Side, size }.Where(text => text.Length > 0)) + $", {Cells.Count(item.Budget)} tokens";
            if (LeftOut(item.Tokens) is { } inRun)
                yield return $"{name}: the speed-up in a run {inRun}";
            if (item.Frontier is { } frontier && LeftOut(frontier) is { } onFrontier)
                yield return $"{name}: the speed-up on the annealed frontier {onFrontier}";
        }

        var outcomes = Outcomes(sizes).Select(item => (
            string.Join(" at ", new[] { item.Side, item.Size }.Where(text => text.Length > 0)) + $", {Cells.Count(item.Outcome.Budget)} tokens", item.Outcome));
        foreach (var warning in TuningWarnings.Of(settings, outcomes))
            yield return warning;
    }

    private static string? LeftOut(Estimate estimate)
        => estimate.LeftOut <= ReportedShare ? null
            : $"cannot be told in {estimate.LeftOut:p1} of the resamples, "
                + (estimate.Interval is null ? "so it has no interval." : "which its interval leaves out.");

    private static ReportTable SpeedUps(IReadOnlyList<SizeComparison> sizes, CompareConfiguration settings)
        => new(
            $"Speed-up against {settings.Reference}",
            [
                "side", "size", "budget", "tokens, annealed frontier", "tokens, in a run", "FLOP, in a run", "time, in a run", "loss difference",
                "Student's interval",
            ],
            sizes.SelectMany(size => size.Against.Select(item => (IReadOnlyList<string>)
            [
                item.Side,
                size.Size,
                Cells.Count(item.Budget),
                Cells.Factor(item.Frontier) + Reach(item),
                Cells.Factor(item.Tokens) + Bound(item),
                Cells.Factor(item.Flops),
                Cells.Factor(item.Time),
                Cells.Difference(item.Difference),
                Cells.Interval(item.Difference?.Student),
            ])).ToList(),
            SpeedUpNote);

    private static string Bound(SideAgainstReference item) => item.IsBound ? " (bound)" : "";

    private static string Reach(SideAgainstReference item) => item.FrontierReach switch
    {
        FrontierReach.Extrapolated => " (extrapolated)",
        FrontierReach.Bound => " (bound)",
        _ => "",
    };

    private static ReportTable Losses(IReadOnlyList<SizeComparison> sizes)
        => new(
            "Final loss at the best learning rate",
            ["side", "size", "budget", "parameters", "learning rate", "seeds", "loss", "deviation", "bits per byte", "tokens/s"],
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

    private static (IReadOnlyList<string> Names, CellOutcome Outcome) Named((string Side, string Size, CellOutcome Outcome) item)
        => ([item.Side, item.Size, Cells.Count(item.Outcome.Budget)], item.Outcome);

    private static IEnumerable<(string Side, string Size, CellOutcome Outcome)> Outcomes(IReadOnlyList<SizeComparison> sizes)
        => sizes.SelectMany(size => size.Sides.SelectMany(side => side.Budgets.Select(outcome => (side.Side, size.Size, outcome))));
}
