using AnTransformer.Studies.Running;

namespace AnTransformer.Studies.Sweeps;

/// <summary>What is known of a combination of values.</summary>
/// <param name="Values">The values, in the order of fields.</param>
/// <param name="Losses">Final validation losses of finished runs in nats per token; infinite for diverged ones.</param>
internal sealed record SweepOutcome(IReadOnlyList<string> Values, IReadOnlyList<double> Losses)
{
    /// <summary>Mean loss: infinite when a run diverged, not a number when none is finished.</summary>
    public double Mean => Losses.Count > 0 ? Losses.Average() : double.NaN;

    public int Diverged => Losses.Count(loss => !double.IsFinite(loss));

    /// <summary>Sample standard deviation over seeds; null with fewer than two or when one diverged.</summary>
    public double? Deviation => Losses.Count > 1 && Diverged == 0
        ? Math.Sqrt(Losses.Sum(loss => (loss - Mean) * (loss - Mean)) / (Losses.Count - 1))
        : null;

    public static SweepOutcome Of(SweepPoint point, IReadOnlyDictionary<string, RunResult> results)
        => new(point.Values, point.Runs.Select(run => results.GetValueOrDefault(run.Name)).OfType<RunResult>().Select(result => result.LossOrInfinity).ToList());
}
