using AnTransformer.Studies.Running;
using AnTransformer.Studies.Statistics;
using MathNet.Numerics.Statistics;

namespace AnTransformer.Studies.Sweeps;

/// <summary>What is known of a combination of values.</summary>
/// <param name="Values">The values, in the order of fields.</param>
/// <param name="BySeed">
/// Final validation losses of finished runs by seed in nats per token; infinite for diverged ones.
/// </param>
internal sealed record SweepOutcome(IReadOnlyList<string> Values, IReadOnlyDictionary<long, double> BySeed)
{
    /// <summary>The losses in the order of seeds.</summary>
    public IReadOnlyList<double> Losses { get; } = [.. BySeed.OrderBy(item => item.Key).Select(item => item.Value)];

    /// <summary>Mean loss: infinite when a run diverged, not a number when none is finished.</summary>
    public double Mean => Losses.Count > 0 ? Losses.Average() : double.NaN;

    public int Diverged => Losses.Count(loss => !double.IsFinite(loss));

    /// <summary>Sample standard deviation over seeds; null with fewer than two or when one diverged.</summary>
    public double? Deviation => Losses.Count > 1 && Diverged == 0 ? Losses.StandardDeviation() : null;

    /// <summary>
    /// The loss above that of another combination with the same seed; null when no seed is common or a run of either
    /// diverged.
    /// </summary>
    public PairedDifference? Above(SweepOutcome other)
        => Diverged + other.Diverged > 0 ? null : PairedDifference.Of(other.BySeed, BySeed);

    public static SweepOutcome Of(SweepPoint point, IReadOnlyDictionary<string, RunResult> results)
        => new(point.Values, point.Runs.Where(run => results.ContainsKey(run.Name))
            .ToDictionary(run => run.Configuration.Training.Seed, run => results[run.Name].LossOrInfinity));
}
