using AnTransformer.Studies.Running;
using AnTransformer.Studies.Statistics;
using MathNet.Numerics.Statistics;

namespace AnTransformer.Studies.Tuning;

/// <summary>What is known of a cell: its search and the runs at the best learning rate.</summary>
/// <param name="Cell">The cell.</param>
/// <param name="Search">The search for its learning rate.</param>
/// <param name="Completed">Completed runs at the best rate by seed.</param>
/// <param name="DivergedSeeds">Seeds that diverged at the best rate.</param>
/// <param name="DivergedByRate">Diverged and finished runs by learning rate.</param>
public sealed record CellOutcome(
    TunedCell Cell,
    LearningRateSearch Search,
    IReadOnlyDictionary<long, RunResult> Completed,
    IReadOnlySet<long> DivergedSeeds,
    IReadOnlyList<RateDivergence> DivergedByRate)
{
    /// <summary>Tokens that its runs train on.</summary>
    public double Budget { get; } = BudgetOf(Cell);

    /// <summary>Final validation losses by seed in nats per token.</summary>
    public IReadOnlyDictionary<long, double> Losses
        => Completed.ToDictionary(item => item.Key, item => item.Value.LossOrInfinity);

    /// <summary>Mean final validation loss in nats per token; null while there is none.</summary>
    public double? MeanLoss => Completed.Count > 0 ? Completed.Values.Average(run => run.LossOrInfinity) : null;

    /// <summary>Mean bits per byte at the end; null while there is none or bytes are unknown.</summary>
    public double? MeanBitsPerByte
        => Completed.Values.All(run => run.BitsPerByte is not null) && Completed.Count > 0
            ? Completed.Values.Average(run => run.BitsPerByte)
            : null;

    /// <summary>Sample standard deviation of the final losses over seeds; null with fewer than two.</summary>
    public double? Deviation
        => Completed.Count < 2 ? null : Completed.Values.Select(run => run.LossOrInfinity).StandardDeviation();

    /// <summary>Median training speed over completed runs; null while there is none.</summary>
    public double? TokensPerSecond
        => Completed.Count == 0 ? null : Completed.Values.Select(run => run.TokensPerSecond).Median();

    /// <summary>Validation curves of the completed runs by seed, ascending.</summary>
    public IReadOnlyDictionary<long, LossCurve> Curves { get; } = CurvesOf(Completed);

    /// <summary>The cell's outcome as far as results are known.</summary>
    /// <param name="cell">The cell.</param>
    /// <param name="results">Results by run name.</param>
    public static CellOutcome Of(TunedCell cell, IReadOnlyDictionary<string, RunResult> results)
    {
        var search = cell.Search(results);
        var atBest = cell.AtBest(results);
        var byRate = search.Rates.Select(rate =>
        {
            var finished = cell.Settings.Seeds.Select(seed => results.GetValueOrDefault(cell.Run(rate, seed).Name))
                .OfType<RunResult>().ToList();
            return new RateDivergence(rate, finished.Count(run => run.Status == RunEnding.Diverged), finished.Count);
        });
        return new CellOutcome(
            cell,
            search,
            atBest.Where(item => double.IsFinite(item.Result.LossOrInfinity))
                .ToDictionary(item => item.Seed, item => item.Result),
            atBest.Where(item => !double.IsFinite(item.Result.LossOrInfinity)).Select(item => item.Seed).ToHashSet(),
            byRate.ToList());
    }

    private static SortedDictionary<long, LossCurve> CurvesOf(IReadOnlyDictionary<long, RunResult> completed)
        => new(completed.ToDictionary(
            item => item.Key,
            item => new LossCurve(
                [.. item.Value.Curve.Select(point => (double)point.Tokens)],
                [.. item.Value.Curve.Select(point => point.Loss)])));

    private static double BudgetOf(TunedCell cell) => cell.Run(cell.InitialRates[0], cell.Settings.Seeds[0]).Tokens;
}

/// <summary>How many runs of a learning rate diverged.</summary>
/// <param name="Rate">The learning rate.</param>
/// <param name="Diverged">Diverged runs.</param>
/// <param name="Finished">Finished runs, those included.</param>
public sealed record RateDivergence(double Rate, int Diverged, int Finished);
