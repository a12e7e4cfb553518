using System.Globalization;
using AnTransformer.Studies.Configuration;
using AnTransformer.Studies.Reporting;
using AnTransformer.Studies.Tuning;

namespace AnTransformer.Studies.Ladders;

/// <summary>Puts a ladder into tables and figures; the laws are fitted by <c>angpt scaling fit</c>.</summary>
internal static class LadderFindings
{
    public static StudyFindings Create(IReadOnlyList<CellOutcome> outcomes, ScalingConfiguration settings)
        => new(
            Lead(outcomes, settings),
            TuningWarnings.Of(settings, outcomes.Select(outcome => (Name(outcome), outcome))).ToList(),
            [
                Losses(outcomes),
                LearningRateTable.Of(
                    ["side", "size", "budget"],
                    outcomes.Select(
                        outcome => ((IReadOnlyList<string>)[outcome.Cell["side"], outcome.Cell["size"],
                            Cells.Count(outcome.Budget)], outcome))),
            ],
            [
                new(
                    "compute",
                    "Final loss against compute; every point is a run at the best learning rate of its size and "
                        + "budget.", () => Compute(outcomes)),
                new(
                    "learning-rate", "Best learning rate against parameters; one point for each size and budget.",
                    () => Rates(outcomes)),
            ],
            outcomes.Select(outcome => new
            {
                Axes = outcome.Cell.Axes.ToDictionary(axis => axis.Key, axis => axis.Value),
                Params = Params(outcome),
                Outcome = OutcomeData.Of(outcome),
            }).ToList());

    private static string Lead(IReadOnlyList<CellOutcome> outcomes, ScalingConfiguration settings)
        => $"{outcomes.Count(outcome => outcome.Completed.Count == settings.Seeds.Count)} of {outcomes.Count} cells "
            + "are done. Fit the laws with "
            + $"`angpt scaling fit {settings.Output}/runs.csv --params params --tokens tokens --loss loss --flops "
            + "flops --group side "
            + "--learning-rate learning_rate --batch-size batch_size`.";

    private static string Name(CellOutcome outcome)
        => string.Join(" at ", new[] { outcome.Cell["side"], outcome.Cell["size"] }.Where(text => text.Length > 0))
            + $", {Cells.Count(outcome.Budget)} tokens";

    private static double? Params(CellOutcome outcome) => outcome.Completed.Values.FirstOrDefault()?.Params;

    private static ReportTable Losses(IReadOnlyList<CellOutcome> outcomes)
        => new(
            "Final loss at the best learning rate",
            ["side", "size", "parameters", "tokens", "tokens per parameter", "FLOP", "learning rate", "seeds", "loss",
                "deviation"],
            outcomes.Select(outcome => (IReadOnlyList<string>)
            [
                outcome.Cell["side"], outcome.Cell["size"], Cells.Count(Params(outcome)), Cells.Count(outcome.Budget),
                Params(outcome) is { } parameters
                    ? (outcome.Budget / parameters).ToString("0.#", CultureInfo.InvariantCulture)
                    : Cells.Unknown,
                outcome.Completed.Values.FirstOrDefault() is { } run ? $"{run.Flops:0.0e0}" : Cells.Unknown,
                Cells.Rate(outcome.Search.BestRate), $"{outcome.Completed.Count}", Cells.Loss(outcome.MeanLoss),
                Cells.Loss(outcome.Deviation),
            ]).ToList());

    private static Chart Compute(IReadOnlyList<CellOutcome> outcomes)
    {
        var chart = new Chart(
            "Loss against compute", "FLOP of training", "final validation loss (nats per token)", logX: true,
            logY: true);
        foreach (var side in outcomes.GroupBy(outcome => outcome.Cell["side"]))
        {
            var runs = side.SelectMany(outcome => outcome.Completed.Values).OrderBy(run => run.Flops).ToList();
            chart.Points(side.Key, runs.ConvertAll(run => run.Flops), runs.ConvertAll(run => run.LossOrInfinity));
        }

        return chart;
    }

    private static Chart Rates(IReadOnlyList<CellOutcome> outcomes)
    {
        var chart = new Chart("Best learning rate against size", "parameters", "learning rate", logX: true, logY: true);
        foreach (var side in outcomes.GroupBy(outcome => outcome.Cell["side"]))
        {
            chart.Points(
                side.Key,
                side.Select(outcome => Params(outcome) ?? double.NaN).ToList(),
                side.Select(outcome => outcome.Search.BestRate ?? double.NaN).ToList());
        }

        return chart;
    }
}
