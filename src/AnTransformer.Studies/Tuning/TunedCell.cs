using System.Globalization;
using AnTransformer.Studies.Configuration;
using AnTransformer.Studies.Running;

namespace AnTransformer.Studies.Tuning;

/// <summary>
/// One thing that a study measures, such as a side at a size and a budget: its learning rate is searched with the first
/// seeds, then all seeds are run at the best.
/// </summary>
/// <param name="axes">What sets it apart from other cells, by column name.</param>
/// <param name="settings">Rules of the search, and seeds.</param>
/// <param name="rates">Learning rates to begin with.</param>
/// <param name="create">Makes the run of a learning rate and a seed.</param>
/// <param name="maxExtensions">How often the grid may grow; null for what the settings say.</param>
public sealed class TunedCell(
    IReadOnlyList<KeyValuePair<string, string>> axes,
    TunedConfiguration settings,
    IReadOnlyList<double> rates,
    Func<double, long, PlannedRun> create,
    int? maxExtensions = null)
{
    private readonly Dictionary<(double Rate, long Seed), PlannedRun> _runs = [];

    /// <summary>What sets it apart from other cells, by column name.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Axes => axes;

    /// <summary>Rules of the search, and seeds.</summary>
    public TunedConfiguration Settings => settings;

    /// <summary>Learning rates to begin with.</summary>
    public IReadOnlyList<double> InitialRates => rates;

    /// <summary>Seeds that every rate is tried with.</summary>
    public IEnumerable<long> TuningSeeds => settings.Seeds.Take(settings.TuningSeeds);

    /// <summary>The name of an axis' value; empty when the cell has no such axis.</summary>
    /// <param name="axis">Column name.</param>
    public string this[string axis] => axes.FirstOrDefault(item => item.Key == axis).Value ?? "";

    /// <summary>A learning rate as names and tables have it.</summary>
    /// <param name="rate">A rate.</param>
    public static string RateText(double rate) => rate.ToString("0.######e0", CultureInfo.InvariantCulture);

    /// <summary>The run of a learning rate and a seed.</summary>
    /// <param name="rate">The learning rate.</param>
    /// <param name="seed">The seed.</param>
    /// <exception cref="InvalidInputException">Its settings cannot be used.</exception>
    public PlannedRun Run(double rate, long seed)
        => _runs.TryGetValue((rate, seed), out var run) ? run : _runs[(rate, seed)] = create(rate, seed);

    /// <summary>The search as far as results are known.</summary>
    /// <param name="results">Results by run name.</param>
    public LearningRateSearch Search(IReadOnlyDictionary<string, RunResult> results)
        => LearningRateSearch.Run(
            rates, settings.LearningRateFactor, maxExtensions ?? settings.MaxExtensions,
            rate => TuningLoss(rate, results), CanRun);

    /// <summary>
    /// Results at the best rate, in the order of seeds; empty while the rate is not decided. Seeds without a result are
    /// left out.
    /// </summary>
    /// <param name="results">Results by run name.</param>
    public IReadOnlyList<(long Seed, RunResult Result)> AtBest(IReadOnlyDictionary<string, RunResult> results)
        => Search(results).BestRate is { } best
            ? settings.Seeds.Where(seed => results.ContainsKey(Run(best, seed).Name))
                .Select(seed => (seed, results[Run(best, seed).Name])).ToList()
            : [];

    /// <summary>
    /// Whether a rate, and the fields that follow it, are within what the training configuration allows.
    /// </summary>
    private bool CanRun(double rate)
    {
        if (rate is not (> 0 and <= TunedConfiguration.HighestRate))
            return false;
        try
        {
            Run(rate, settings.Seeds[0]);
            return true;
        }
        catch (InvalidInputException)
        {
            return false;
        }
    }

    private double? TuningLoss(double rate, IReadOnlyDictionary<string, RunResult> results)
    {
        var sum = 0.0;
        foreach (var seed in TuningSeeds)
        {
            if (!results.TryGetValue(Run(rate, seed).Name, out var result))
                return null;
            sum += result.LossOrInfinity;
        }

        return sum / settings.TuningSeeds;
    }
}
