using AnTransformer.Studies.Configuration;
using AnTransformer.Studies.Tuning;

namespace AnTransformer.Studies.Reporting;

/// <summary>What a reader must know of studies whose learning rates are tuned.</summary>
internal static class TuningWarnings
{
    private const int EnoughSeeds = 5;

    public static IEnumerable<string> Of(
        TunedConfiguration settings, IEnumerable<(string Name, CellOutcome Outcome)> outcomes)
    {
        if (settings.Seeds.Count < 2)
            yield return "With one seed there are no intervals: differences may be chance.";
        else if (settings.Seeds.Count < EnoughSeeds)
            yield return $"With {settings.Seeds.Count} seeds intervals are wide; each further seed narrows them.";
        var all = outcomes.ToList();
        if (all.Exists(item => item.Outcome.Completed.Values.Any(run => run.Jobs > 1)))
            yield return "Runs were trained beside each other, so seconds and speeds are not isolated timings; `angpt "
                + "bench` gives those.";
        if (settings is not AblateConfiguration
            && all.Exists(item => item.Outcome.Search is { IsFixed: true, IsDecided: true }))
            yield return "Some learning rates were given as a single value, so they are not tuned.";
        foreach (var (name, outcome) in all)
        {
            if (outcome.Search.IsAtEdge)
                yield return $"{name}: the best learning rate {Cells.Rate(outcome.Search.BestRate)} is at the edge of "
                    + "the grid; a better one may lie beyond.";
            if (outcome.Search is { IsDecided: true, Best: null })
                yield return $"{name}: every learning rate diverged.";
            if (outcome.DivergedSeeds.Count > 0)
            {
                yield return $"{name}: {outcome.DivergedSeeds.Count} of the runs at the best learning rate diverged "
                    + "and are left out of means, "
                    + "which therefore have no intervals.";
            }
        }
    }
}
