using AnTransformer.Studies.Tuning;

namespace AnTransformer.Studies.Reporting;

/// <summary>The table of every learning rate that was tried: its loss and how many runs diverged.</summary>
internal static class LearningRateTable
{
    /// <param name="headers">What the names in front are.</param>
    /// <param name="outcomes">Outcomes with their names, as many as headers.</param>
    public static ReportTable Of(
        IReadOnlyList<string> headers, IEnumerable<(IReadOnlyList<string> Names, CellOutcome Outcome)> outcomes)
        => new(
            "Learning rates",
            [.. headers, "learning rate", "tuning loss", "diverged"],
            outcomes.SelectMany(item => item.Outcome.DivergedByRate.Select((rate, i) => (IReadOnlyList<string>)
                [.. item.Names, Cells.Rate(rate.Rate), Cells.Loss(item.Outcome.Search.Losses[i]),
                    $"{rate.Diverged} of {rate.Finished}"])).ToList(),
            "Tuning loss: mean final validation loss over the seeds used for tuning; none where a run diverged.");
}
