using AnTransformer.Studies.Scaling.Laws;
using AnTransformer.Studies.Scaling.Tables;
using AnTransformer.Studies.Statistics;

namespace AnTransformer.Studies.Scaling.Fitting;

/// <summary>Reasons to doubt a fit, above all its extrapolation.</summary>
internal static class FitWarnings
{
    private const double NarrowSpan = 4;
    private const double Correlated = 0.98;
    private const double OutlierDeviations = 10;
    private const double FailedShare = 0.1;
    private const double VanishingFloor = 0.01;

    /// <summary>Nats of a uniform guess among 300 000 tokens, which vocabularies hardly exceed.</summary>
    private const double WorstLoss = 12.6;

    public static List<string> Of(
        IReadOnlyList<ScalingPoint> points, ParametricResult? parametric, ComputeResult? compute)
    {
        var warnings = new List<string>();
        if (points.Count(point => point.Loss > WorstLoss) is var high && 2 * high > points.Count)
        {
            warnings.Add($"{high} of {points.Count} losses are above {WorstLoss}, which is worse than guessing among "
                + "300 000 tokens: if these are perplexities, "
                + "fit their natural logarithms");
        }

        if (parametric is not null)
            Parametric(points, parametric, warnings);
        if (compute is not null)
            Compute(compute, warnings);
        return warnings;
    }

    private static void Parametric(IReadOnlyList<ScalingPoint> points, ParametricResult result, List<string> warnings)
    {
        var (law, fit) = (result.Fit.Law, result.Fit);
        if (law.E < VanishingFloor * points.Min(point => point.Loss))
            warnings.Add(
                "E has gone to zero: the rows do not show where the loss levels off, so predictions far beyond them "
                    + "are too low");
        foreach (var (symbol, value) in new[] { ("α", law.Alpha), ("β", law.Beta) })
        {
            if (value <= 0)
                warnings.Add(
                    $"{symbol} is not positive, so no size is compute-optimal; the table lacks runs in which "
                        + $"{(symbol == "α" ? "N" : "D")} limits the loss");
        }

        foreach (var quantity in Quantities.Parametric)
        {
            if (fit.IntervalOf(quantity.Of) is { } interval
                && (interval.SpansZero || interval.High > 100 * Math.Max(interval.Low, double.Epsilon)))
                warnings.Add(
                    $"the interval of {quantity.Symbol} "
                        + $"{(interval.SpansZero ? "spans zero" : "spans two orders of magnitude")}: the rows hardly "
                        + "determine it");
        }

        Span(points, "N", point => point.Parameters, warnings);
        Span(points, "D", point => point.Tokens, warnings);
        if (HyperparameterFit.Correlation(points) is var correlation and > Correlated)
            warnings.Add(
                $"N and D rise together (correlation of logarithms {correlation:f3}), so what is due to either cannot "
                    + "be told apart; add runs off that line");
        var flops = points.Select(point => point.Compute / (point.Parameters * point.Tokens)).ToList();
        if (flops.Max() > 1.5 * flops.Min())
            warnings.Add(
                $"C / (N D) varies from {flops.Min():g3} to {flops.Max():g3}; allocations use its geometric mean "
                    + $"{result.FlopsPerParameterToken:g3}");
        Ratios(points, result, warnings);
        Outliers(points, law, warnings);
        if (fit.Quality.Agreeing == 1)
            warnings.Add(
                $"only one of {fit.Quality.Descents} descents reached this minimum; the objective is rugged, so look "
                    + "at the residuals");
        if (fit.FailedResamples > FailedShare * fit.Resamples.Count)
            warnings.Add(Failures("could not be fitted", fit.FailedResamples, fit.Resamples.Count));
    }

    private static void Compute(ComputeResult result, List<string> warnings)
    {
        var (fit, frontier) = (result.Fit, result.Frontier);
        if (!result.IsZeroFloor && fit.Law.Floor < VanishingFloor * frontier[^1].Loss)
            warnings.Add("L∞ has gone to zero: the frontier shows no levelling off");
        if (fit.Law.Exponent <= 0)
            warnings.Add("γ is not positive: the loss does not fall with compute");
        if (frontier[^1].Compute < 10 * frontier[0].Compute)
            warnings.Add(
                $"the frontier spans only a factor {frontier[^1].Compute / frontier[0].Compute:g3} of compute; L(C) is "
                    + "weak beyond it");
        if (fit.FailedResamples > FailedShare * fit.Resamples.Count)
            warnings.Add(Failures("have too few budgets for L(C)", fit.FailedResamples, fit.Resamples.Count));
    }

    private static string Failures(string what, int failed, int resamples)
        => $"{failed} of {resamples} resamples {what}; "
            + (resamples - failed < Interval.FewestEstimates ? "there are no intervals, which more rows would give"
                : "intervals are of the others, and so too narrow");

    private static void Span(
        IReadOnlyList<ScalingPoint> points, string name, Func<ScalingPoint, double> value, List<string> warnings)
    {
        if (points.Max(value) / points.Min(value) is var span and < NarrowSpan)
            warnings.Add($"{name} spans only a factor {span:g3}; its exponent is weakly determined");
    }

    private static void Ratios(IReadOnlyList<ScalingPoint> points, ParametricResult result, List<string> warnings)
    {
        var outside = result.Allocations.Where(allocation => !allocation.IsExtrapolated
            && (allocation.Optimum.TokensPerParameter < points.Min(Ratio)
                || allocation.Optimum.TokensPerParameter > points.Max(Ratio))).ToList();
        if (outside.Count > 0)
            warnings.Add(
                $"at {outside.Count} of {result.Allocations.Count} budgets the optimal D/N lies outside the rows' "
                    + $"{points.Min(Ratio):g3} to {points.Max(Ratio):g3}: no run was near the optimum");

        static double Ratio(ScalingPoint point) => point.Tokens / point.Parameters;
    }

    private static void Outliers(IReadOnlyList<ScalingPoint> points, ParametricLaw law, List<string> warnings)
    {
        double[] residuals = [.. points.Select(
            point => Math.Abs(Math.Log(law.Loss(point.Parameters, point.Tokens) / point.Loss)))];
        // 1.4826 median absolute deviations are one standard deviation of a normal distribution.
        var deviation = 1.4826 * residuals.Order().ElementAt(residuals.Length / 2);
        if (residuals.Count(
            residual => residual > Math.Max(OutlierDeviations * deviation, 0.01)) is var outliers and > 0)
            warnings.Add(
                $"{outliers} of {points.Count} rows lie more than {OutlierDeviations} deviations from the law; runs "
                    + "that went wrong can be left out (--drop-highest-loss)");
    }
}
