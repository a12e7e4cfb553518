using AnTransformer.Studies.Configuration;
using AnTransformer.Studies.Reporting;
using AnTransformer.Studies.Running;
using AnTransformer.Studies.Statistics;

namespace AnTransformer.Studies.Comparison;

/// <summary>The figures of a comparison.</summary>
internal static class ComparisonFigures
{
    public static IReadOnlyList<FindingsFigure> All(IReadOnlyList<SizeComparison> sizes, CompareConfiguration settings)
    {
        var figures = new List<FindingsFigure>();
        foreach (var size in sizes)
        {
            var (suffix, at) = size.Size.Length > 0
                ? ($"-{RunFingerprint.FileName(size.Size)}", $" at {size.Size}")
                : ("", "");
            Add(
                $"loss{suffix}",
                $"Validation loss{at} at each side's best learning rate and the largest budget; thin lines are single "
                    + "seeds.", () => Curves(size, at));
            Add(
                $"learning-rate{suffix}", $"Final loss{at} against learning rate; diverged runs are left out.",
                () => LearningRates(size, at));
            if (size.Sides[0].Budgets.Count > 1)
                Add(
                    $"frontier{suffix}",
                    $"Final loss{at} of runs of different budgets, each with its own schedule and learning rate.",
                    () => Frontiers(size, at));
        }

        if (sizes.Count > 1)
            Add(
                "speed-up",
                $"Speed-up in tokens against {settings.Reference} by size, at the largest budget, with Student's 95 % "
                    + "intervals over seeds.", () => SpeedUps(sizes, settings));
        return figures;

        void Add(string name, string caption, Func<Chart> draw) => figures.Add(new FindingsFigure(name, caption, draw));
    }

    private static Chart Curves(SizeComparison size, string at)
    {
        var chart = new Chart($"Validation loss{at}", "tokens", "validation loss (nats per token)", logX: true);
        var (low, high) = (double.PositiveInfinity, double.NegativeInfinity);
        foreach (var side in size.Sides)
        {
            var curves = side.Budgets[^1].Curves.Values.ToList();
            if (curves.Count == 0)
                continue;
            var mean = LossCurve.Mean(curves);
            chart.Line(side.Side, mean.Tokens, mean.Losses, markers: mean.Tokens.Count < 30);
            foreach (var curve in curves)
            {
                chart.Line(side.Side, curve.Tokens, curve.Losses, faint: true);
                low = Math.Min(low, curve.Losses.Min());
                high = Math.Max(high, curve.Losses[Math.Min(curve.Losses.Count - 1, curve.Losses.Count / 10)]);
            }
        }

        return high > low ? chart.LimitY(low - (0.03 * (high - low)), high) : chart;
    }

    private static Chart LearningRates(SizeComparison size, string at)
    {
        var chart = new Chart(
            $"Loss against learning rate{at}", "learning rate", "final validation loss (nats per token)", logX: true);
        foreach (var side in size.Sides)
        {
            foreach (var outcome in side.Budgets)
            {
                var name = side.Budgets.Count > 1 ? $"{side.Side}, {Cells.Count(outcome.Budget)}" : side.Side;
                chart.Line(
                    name, outcome.Search.Rates, outcome.Search.Losses.Select(loss => loss ?? double.NaN).ToList(),
                    markers: true);
            }
        }

        return chart;
    }

    private static Chart Frontiers(SizeComparison size, string at)
    {
        var chart = new Chart(
            $"Annealed frontier{at}", "token budget", "final validation loss (nats per token)", logX: true);
        foreach (var side in size.Sides)
        {
            chart.Line(
                side.Side, side.Budgets.Select(outcome => outcome.Budget).ToList(),
                side.Budgets.Select(outcome => outcome.MeanLoss ?? double.NaN).ToList());
            var points = side.Budgets.SelectMany(
                outcome => outcome.Losses.Values.Select(loss => (outcome.Budget, Loss: loss))).ToList();
            chart.Points(side.Side, points.ConvertAll(point => point.Budget), points.ConvertAll(point => point.Loss));
        }

        return chart;
    }

    private static Chart SpeedUps(IReadOnlyList<SizeComparison> sizes, CompareConfiguration settings)
    {
        var chart = new Chart($"Speed-up against {settings.Reference}", "parameters", "speed-up in tokens", logX: true)
            .Level("equal", 1).LegendAt(lower: false, left: true);
        foreach (var side in sizes[0].Sides.Select(side => side.Side))
        {
            var points = sizes.Select(
                size => (Params: Params(size, side), Estimate: size.Largest(side) is { } item ? item.Headline : null))
                .Where(point => point.Estimate is { } estimate && double.IsFinite(estimate.Value) && point.Params > 0)
                .OrderBy(point => point.Params).ToList();
            var (xs, ys) = (points.ConvertAll(point => point.Params), points.ConvertAll(
                point => point.Estimate!.Value));
            chart.Line(side, xs, ys).Points(
                side, xs, ys,
                points.ConvertAll(point => point.Estimate!.Interval?.Low ?? double.NaN),
                points.ConvertAll(point => point.Estimate!.Interval?.High ?? double.NaN));
        }

        return chart;
    }

    private static double Params(SizeComparison size, string side)
        => size.Sides.Single(item => item.Side == side).Budgets[^1].Completed.Values.FirstOrDefault()?.Params ?? 0;
}
