using AnTransformer.Studies.Statistics;
using MathNet.Numerics.Distributions;

namespace AnTransformer.Studies.Tests.Statistics;

/// <summary>
/// Runs like those of docs/experiments.md without training: a power law with a schedule's annealing on top, evaluated sixteen times, and noise
/// of a seed, of which a share is common to both sides since they see the same data.
/// </summary>
/// <param name="random">Source of the noise.</param>
/// <param name="commonNoise">Deviation over seeds of what both sides share, in nats.</param>
/// <param name="ownNoise">Deviation over seeds of what they do not.</param>
internal sealed class SimulatedRuns(Random random, double commonNoise, double ownNoise)
{
    private const double EvaluationNoise = 0.003;
    private static readonly double[] Shares = [.. Enumerable.Range(1, 16).Select(i => i / 16.0)];

    /// <summary>The curve of a side that learns so many times as fast as the reference, without noise.</summary>
    public static LossCurve Exact(double speed, double budget = 524_288) => new(
        [.. Shares.Select(share => share * budget)],
        [.. Shares.Select(share => Law(share * budget * speed) + (0.1 * Math.Cos(Math.PI * share)))]);

    /// <summary>The curves of both sides with one seed.</summary>
    public (LossCurve Reference, LossCurve Side) Pair(double speed)
    {
        var common = Draw(commonNoise);
        return (Noisy(Exact(1)), Noisy(Exact(speed)));

        LossCurve Noisy(LossCurve exact)
        {
            var shift = common + Draw(ownNoise);
            return exact with { Losses = [.. exact.Losses.Select(loss => loss + shift + Draw(EvaluationNoise))] };
        }
    }

    /// <summary>The final loss of a run of a side with so many tokens, without noise.</summary>
    public static double FinalLoss(double speed, double tokens) => Law(tokens * speed);

    /// <summary>Noise of a side's runs with one seed at several settings: a part common to all of them, and each run's own.</summary>
    public double[] Noise(int settings)
    {
        var common = Draw(commonNoise);
        return [.. Enumerable.Range(0, settings).Select(_ => common + Draw(ownNoise))];
    }

    private static double Law(double tokens) => 3.5 + (1.6 * Math.Pow(tokens / 524_288, -0.35));

    private double Draw(double deviation) => deviation == 0 ? 0 : Normal.Sample(random, 0, deviation);
}
