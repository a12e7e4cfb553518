using AnTransformer.Studies.Scaling.Laws;
using AnTransformer.Studies.Scaling.Tables;
using AnTransformer.Studies.Statistics;
using MathNet.Numerics.LinearRegression;

namespace AnTransformer.Studies.Scaling.Fitting;

/// <summary>
/// Fits <see cref="HyperparameterLaw"/>: least squares of logarithms, over the best run of every (N, D).
/// </summary>
internal static class HyperparameterFit
{
    private const int FewestPoints = 4;

    /// <summary>
    /// Fewer pairs are fitted nearly exactly by resamples of them, whose spread then says nothing: half of such
    /// intervals miss.
    /// </summary>
    private const int FewestForIntervals = 6;

    private const double MostCorrelation = 0.999;

    /// <summary>The runs of each (N, D), sizes equal to a tenth of a percent.</summary>
    public static List<List<ScalingPoint>> Sweeps(IEnumerable<ScalingPoint> points)
        => [.. points.GroupBy(
            point => (Math.Round(Math.Log(point.Parameters), 3), Math.Round(Math.Log(point.Tokens), 3))).Select(
                sweep => sweep.ToList())];

    /// <summary>Fits the best value of a hyperparameter, or says in a note why not.</summary>
    public static Fitted<HyperparameterLaw>? Fit(
        IReadOnlyList<ScalingPoint> points, string name, Func<ScalingPoint, double> value, ScalingFitOptions options,
        List<string> notes, CancellationToken cancellation)
    {
        var sweeps = Sweeps(points);
        var best = sweeps.ConvertAll(sweep => sweep.MinBy(point => point.Loss)!);
        if (best.Count < FewestPoints || Correlation(best) is not < MostCorrelation)
        {
            notes.Add($"the law of the {name} is left out: its two exponents need at least {FewestPoints} pairs (N, D) "
                + "in which N and D vary independently, "
                + $"and there are {best.Count}");
            return null;
        }

        NoteEdges(sweeps, name, value, notes);
        var hasIntervals = best.Count >= FewestForIntervals;
        if (!hasIntervals && options.Resamples > 0)
            notes.Add($"the law of the {name} has no intervals, which need at least {FewestForIntervals} pairs (N, D)");
        var law = Solve(best, value)!;
        double[] residuals = [.. best.Select(
            point => Math.Log(law.At(point.Parameters, point.Tokens)) - Math.Log(value(point)))];
        var resamples = RowBootstrap.Run(
            best.Count,
            hasIntervals ? options.Resamples : 0,
            options.Seed,
            weights => Solve([.. best.SelectMany((point, row) => Enumerable.Repeat(point, (int)weights[row]))], value),
            cancellation);
        return new Fitted<HyperparameterLaw>(law, resamples, FitQuality.Of(residuals, double.NaN));
    }

    private static HyperparameterLaw? Solve(List<ScalingPoint> best, Func<ScalingPoint, double> value)
    {
        if (Correlation(best) is not < MostCorrelation)
            return null;
        var (n, d) = (best.Average(point => Math.Log(point.Parameters)), best.Average(point => Math.Log(point.Tokens)));
        var solution = MultipleRegression.QR(
            [.. best.Select(point => new[] { Math.Log(point.Parameters) - n, Math.Log(point.Tokens) - d })],
            [.. best.Select(point => Math.Log(value(point)))],
            intercept: true);
        return new HyperparameterLaw(
            Math.Exp(solution[0] - (solution[1] * n) - (solution[2] * d)), solution[1], solution[2]);
    }

    /// <summary>|correlation| of log N and log D; NaN where one does not vary.</summary>
    public static double Correlation(IReadOnlyList<ScalingPoint> points)
        => Math.Abs(MathNet.Numerics.Statistics.Correlation.Pearson(
        points.Select(point => Math.Log(point.Parameters)), points.Select(point => Math.Log(point.Tokens))));

    private static void NoteEdges(
        List<List<ScalingPoint>> sweeps, string name, Func<ScalingPoint, double> value, List<string> notes)
    {
        var single = sweeps.Count(sweep => sweep.Select(value).Distinct().Count() == 1);
        var edge = sweeps.Count - single - sweeps.Count(sweep => sweep.MinBy(point => point.Loss) is { } best
            && value(best) > sweep.Min(value) && value(best) < sweep.Max(value));
        if (single > 0)
            notes.Add(
                $"at {single} of {sweeps.Count} pairs (N, D) only one {name} was tried; it is taken for the best");
        if (edge > 0)
            notes.Add(
                $"at {edge} of {sweeps.Count} pairs (N, D) the best {name} is the smallest or largest tried; the true "
                    + "best may lie beyond");
    }
}
