using AnTransformer.Studies.Configuration;
using AnTransformer.Studies.Reporting;

namespace AnTransformer.Studies.BatchSizes;

/// <summary>Puts a batch-size study into words, tables and figures.</summary>
internal static class BatchSizeFindings
{
    public static StudyFindings Create(IReadOnlyList<SideByBatch> sides, BatchSizeConfiguration settings)
        => new(
            Lead(sides),
            TuningWarnings.Of(
                settings,
                Outcomes(sides).Select(item => ($"{item.Names[0]}, batch {item.Names[1]}", item.Outcome))).ToList(),
            [Largest(sides), Losses(sides), LearningRateTable.Of(["side", "batch"], Outcomes(sides))],
            [
                new(
                    "batch-size",
                    $"Final loss at {Cells.Count(settings.MaxTokens)} tokens against batch size, each at its best "
                        + "learning rate; points are seeds.",
                    () => LossByBatch(sides)),
                new("learning-rate", "Best learning rate against batch size.", () => RateByBatch(sides)),
            ],
            sides.Select(side => new
            {
                side.Side,
                LargestBatch = side.Largest,
                Batches = side.Outcomes.Select(
                    (outcome, i) => new { Batch = side.Batches[i], Outcome = OutcomeData.Of(outcome) }).ToList(),
            }).ToList());

    private static string Lead(IReadOnlyList<SideByBatch> sides)
    {
        var sentences = sides.Where(side => side.Largest is not null)
            .Select(
                side => $"{side.Side} loses less than {SideByBatch.Share:p0} up to a batch of {Size(side)} sequences.")
                    .ToList();
        return sentences.Count > 0 ? string.Join(" ", sentences) : "No batch size has a result yet.";
    }

    private static string Size(SideByBatch side)
        => side.Largest is not { } largest ? Cells.Unknown
            : (largest.Bounds == Statistics.Bounds.AtLeast ? "at least " : "") + $"{largest.Value:0.#}"
                + (largest.Interval is { } interval ? $" [{interval.Low:0.#}, {interval.High:0.#}]" : "");

    private static ReportTable Largest(IReadOnlyList<SideByBatch> sides)
        => new(
            "Largest batch",
            ["side", "largest batch"],
            sides.Select(side => (IReadOnlyList<string>)[side.Side, Size(side)]).ToList(),
            $"The largest batch in sequences whose loss is within {SideByBatch.Share:p0} of the side's best, linear in "
                + "the logarithm of the batch "
            + "size between those that were run; geometric mean over seeds, each around the batch size that is best on "
            + "average. In brackets: Student's "
            + "95 % interval of its logarithm; none for a bound, where the sizes run end or every rate diverges, and "
            + "none when a seed diverged.");

    private static ReportTable Losses(IReadOnlyList<SideByBatch> sides)
        => new(
            "Final loss at the best learning rate",
            ["side", "batch", "steps", "learning rate", "seeds", "loss", "deviation", "tokens/s"],
            sides.SelectMany(side => side.Outcomes.Select((outcome, i) => (IReadOnlyList<string>)
            [
                side.Side,
                $"{side.Batches[i]}",
                outcome.Completed.Values.FirstOrDefault() is { } run ? $"{run.Steps}" : Cells.Unknown,
                Cells.Rate(outcome.Search.BestRate),
                $"{outcome.Completed.Count}",
                Cells.Loss(outcome.MeanLoss),
                Cells.Loss(outcome.Deviation),
                Cells.Count(outcome.TokensPerSecond),
            ])).ToList());

    private static IEnumerable<(IReadOnlyList<string> Names, Tuning.CellOutcome Outcome)> Outcomes(
        IReadOnlyList<SideByBatch> sides)
        => sides.SelectMany(
            side => side.Outcomes.Select(
                (outcome, i) => ((IReadOnlyList<string>)[side.Side, $"{side.Batches[i]}"], outcome)));

    private static Chart LossByBatch(IReadOnlyList<SideByBatch> sides)
    {
        var chart = Labelled(
            new Chart(
                "Loss against batch size", "sequences in a step", "final validation loss (nats per token)",
                logX: true), sides[0]);
        foreach (var side in sides)
        {
            var points = side.Outcomes.SelectMany(
                (outcome, i) => outcome.Losses.Values.Select(loss => (X: (double)side.Batches[i], Y: loss))).ToList();
            chart.Line(
                side.Side, side.Batches.Select(batch => (double)batch).ToList(),
                side.Outcomes.Select(outcome => outcome.MeanLoss ?? double.NaN).ToList())
                .Points(side.Side, points.ConvertAll(point => point.X), points.ConvertAll(point => point.Y));
        }

        return chart;
    }

    private static Chart RateByBatch(IReadOnlyList<SideByBatch> sides)
    {
        var chart = Labelled(
            new Chart(
                "Best learning rate against batch size", "sequences in a step", "learning rate", logX: true,
                logY: true), sides[0]);
        foreach (var side in sides)
        {
            chart.Line(
                side.Side,
                side.Batches.Select(batch => (double)batch).ToList(),
                side.Outcomes.Select(outcome => outcome.Search.BestRate ?? double.NaN).ToList(),
                markers: true);
        }

        return chart;
    }

    private static Chart Labelled(Chart chart, SideByBatch side)
        => chart.Ticks(
            side.Batches.Select(batch => (double)batch).ToList(), side.Batches.Select(batch => $"{batch}").ToList());
}
