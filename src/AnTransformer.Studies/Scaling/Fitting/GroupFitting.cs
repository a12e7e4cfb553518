using AnTransformer.Studies.Scaling.Laws;
using AnTransformer.Studies.Scaling.Tables;
using AnTransformer.Studies.Statistics;

namespace AnTransformer.Studies.Scaling.Fitting;

/// <summary>Fits all laws to one group of runs.</summary>
internal sealed class GroupFitting(
    string group, string place, ScalingFitOptions options, int seed, CancellationToken cancellation)
{
    private readonly List<string> _notes = [];

    /// <exception cref="InvalidInputException">The rows do not determine the law asked for.</exception>
    public GroupFit Fit(List<ScalingPoint> rows)
    {
        var (kept, rates, batches) = (rows, (Fitted<HyperparameterLaw>?)null, (Fitted<HyperparameterLaw>?)null);
        if (options.DropHighestLoss > 0)
        {
            kept = [.. rows.OrderBy(point => point.Loss).Take(Math.Max(0, rows.Count - options.DropHighestLoss))];
            _notes.Add($"the {rows.Count - kept.Count} rows of highest loss are left out");
        }

        var (hasRates, hasBatches) = (HasAll(kept, point => point.LearningRate), HasAll(
            kept, point => point.BatchSize));
        if (hasRates)
            rates = HyperparameterFit.Fit(
                kept, "learning rate", point => point.LearningRate, options with { Seed = seed }, _notes, cancellation);
        if (hasBatches)
            batches = HyperparameterFit.Fit(
                kept, "batch size", point => point.BatchSize, options with { Seed = seed }, _notes, cancellation);
        if (hasRates || hasBatches)
        {
            // A law of the loss is one of tuned runs: the others say how sensitive training is, not how well it scales.
            var tuned = HyperparameterFit.Sweeps(kept).ConvertAll(sweep => sweep.MinBy(point => point.Loss)!);
            if (tuned.Count < kept.Count)
                _notes.Add(
                    $"laws of the loss are fitted to the best run of each of {tuned.Count} pairs (N, D), of "
                        + $"{kept.Count} runs");
            kept = tuned;
        }

        var parametric = options.Law is ScalingLaw.Parametric ? FitParametric(kept) : null;
        var compute = FitCompute(kept);
        return new GroupFit(
            group, kept, parametric, compute, rates, batches, _notes, FitWarnings.Of(kept, parametric, compute));
    }

    private ParametricResult FitParametric(List<ScalingPoint> points)
    {
        Identifiability.Require(points, place);
        var fitting = new ParametricFit(points, options.Delta);
        var (best, descents, agreeing) = fitting.FromManyStarts(cancellation);
        if (!best.Converged)
            throw new InvalidInputException(
                $"{place}: the fit of L(N, D) does not converge; the rows do not determine the law, so add sizes N and "
                    + "D further apart, or use a larger --delta.");
        var resamples = RowBootstrap.Run(points.Count, options.Resamples, seed, Resample, cancellation);
        var quality = FitQuality.Of(fitting.Residuals(best.Point), fitting.HuberSum(best.Point), descents, agreeing);
        var fit = new Fitted<ParametricLaw>(fitting.Law(best.Point), resamples, quality);
        var flops = Math.Exp(points.Average(point => Math.Log(point.Compute / (point.Parameters * point.Tokens))));
        return new ParametricResult(
            fit, flops,
            [.. Budgets(points).Where(_ => fit.Law.HasOptimum).Select(budget => Allocate(fit, budget, flops, points))]);

        ParametricLaw? Resample(double[] weights)
            => Identifiability.Lacks([.. points.Where((_, row) => weights[row] > 0)]) is null
                && fitting.Refit(weights, best.Point) is { Converged: true } minimum
                ? fitting.Law(minimum.Point)
                : null;
    }

    private static AllocationEstimate Allocate(
        Fitted<ParametricLaw> fit, double budget, double flops, List<ScalingPoint> points) => new(
        fit.Law.Allocate(budget, flops),
        fit.IntervalOf(law => law.Allocate(budget, flops).Parameters),
        fit.IntervalOf(law => law.Allocate(budget, flops).Tokens),
        fit.IntervalOf(law => law.Allocate(budget, flops).Loss),
        budget > points.Max(point => point.Compute));

    private ComputeResult? FitCompute(List<ScalingPoint> points)
    {
        var frontier = ComputeFrontier.Of(points);
        if (ComputeFit.Fit(frontier, options.ZeroFloor, options.Delta) is not { } found)
        {
            var reason = $"the compute-efficient frontier has {frontier.Count} "
                + $"{(frontier.Count == 1 ? "budget" : "budgets")}, but L(C) needs "
                + $"{ComputeFit.FewestPoints(options.ZeroFloor)}";
            if (options.Law is ScalingLaw.Power)
                throw new InvalidInputException(
                    $"{place}: {reason}; add runs at other budgets, more than a factor {Levels.ComputeFactor} "
                        + $"apart{(options.ZeroFloor ? "" : ", or fix L∞ = 0 with --zero-floor")}.");
            _notes.Add($"L(C) is left out: {reason}");
            return null;
        }

        // The frontier is selected anew in each resample: whichever run happened to be lucky is part of the
        // uncertainty.
        var resamples = RowBootstrap.Run(points.Count, options.Resamples, seed, Resample, cancellation);
        return new ComputeResult(
            new Fitted<ComputeLaw>(found.Law, resamples, found.Quality), frontier, options.ZeroFloor);

        ComputeLaw? Resample(double[] weights)
            => ComputeFit.Fit(
                ComputeFrontier.Of(points.Where((_, row) => weights[row] > 0)), options.ZeroFloor, options.Delta)?.Law;
    }

    private IReadOnlyList<double> Budgets(List<ScalingPoint> points)
    {
        if (options.Budgets.Count > 0)
            return options.Budgets;
        var (low, high) = (Math.Floor(Math.Log10(points.Min(point => point.Compute))), Math.Ceiling(
            Math.Log10(points.Max(point => point.Compute))) + 2);
        return [.. Enumerable.Range(0, (int)(high - low) + 1).Select(i => double.Parse($"1e{low + i}"))];
    }

    private static bool HasAll(List<ScalingPoint> points, Func<ScalingPoint, double> value)
        => points.Count > 0 && points.All(point => double.IsFinite(value(point)));
}
