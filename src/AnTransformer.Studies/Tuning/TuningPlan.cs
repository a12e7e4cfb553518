using AnTransformer.Studies.Running;

namespace AnTransformer.Studies.Tuning;

/// <summary>
/// The runs of cells whose learning rates are tuned, cheapest information first: every cell's grid with the first seed,
/// then what the search asks for, then further seeds at the best rates; within these the cheap ones first.
/// </summary>
/// <param name="cells">The cells, in the order of tables.</param>
public sealed class TuningPlan(IReadOnlyList<TunedCell> cells) : IStudyPlan
{
    /// <summary>The cells, in the order of tables.</summary>
    public IReadOnlyList<TunedCell> Cells => cells;

    /// <inheritdoc/>
    public StudyAgenda Agenda(IReadOnlyDictionary<string, RunResult> results)
    {
        var wanted = new List<(int Stage, int Rate, PlannedRun Run)>();
        var later = new List<double>();
        var atBest = new HashSet<string>(StringComparer.Ordinal);
        foreach (var cell in cells)
        {
            var search = cell.Search(results);
            var firstSeed = cell.Settings.Seeds[0];
            for (var i = 0; i < search.Rates.Count; i++)
            {
                var isInitial = cell.InitialRates.Contains(search.Rates[i]);
                wanted.AddRange(
                    cell.TuningSeeds.Select(
                        seed => (isInitial && seed == firstSeed ? 0 : 1, i, cell.Run(search.Rates[i], seed))));
            }

            if (search.Best is { } best)
            {
                wanted.AddRange(Final(cell, search, best).Select(run => (2, 0, run)));
                atBest.UnionWith(cell.Settings.Seeds.Select(seed => cell.Run(search.Rates[best], seed).Name));
            }
            else if (!search.IsDecided)
            {
                later.AddRange(
                    cell.Settings.Seeds.Skip(cell.Settings.TuningSeeds)
                        .Select(_ => cell.Run(cell.InitialRates[0], firstSeed).Flops));
            }
        }

        var runs = wanted.OrderBy(item => item.Stage).ThenBy(item => Coarse(item.Run.Flops)).ThenBy(item => item.Rate)
            .Select(item => item.Run).DistinctBy(run => run.Name).ToList();
        return new StudyAgenda(runs, later) { AtBestRate = atBest };
    }

    private static IEnumerable<PlannedRun> Final(TunedCell cell, LearningRateSearch search, int best)
    {
        var reach = cell.Settings.Neighbours ? 1 : 0;
        return Enumerable.Range(best - reach, (2 * reach) + 1).Where(i => i >= 0 && i < search.Rates.Count)
            .OrderBy(i => Math.Abs(i - best))
            .SelectMany(i => cell.Settings.Seeds.Select(seed => cell.Run(search.Rates[i], seed)));
    }

    /// <summary>
    /// Sides of one size cost nearly the same and should alternate rather than come one after the other.
    /// </summary>
    private static double Coarse(double flops) => Math.Round(Math.Log2(flops) * 2);
}
