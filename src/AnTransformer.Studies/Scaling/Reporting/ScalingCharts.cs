using System.Globalization;
using AnTransformer.Studies.Reporting;
using AnTransformer.Studies.Scaling.Fitting;
using AnTransformer.Studies.Scaling.Laws;
using AnTransformer.Studies.Scaling.Tables;

namespace AnTransformer.Studies.Scaling.Reporting;

/// <summary>The figures of a fit, by file name.</summary>
internal static class ScalingCharts
{
    /// <summary>As many curves as there are colors.</summary>
    private const int MostCurves = 7;
    private const int CurvePoints = 80;

    /// <summary>Sizes within this factor are drawn as one curve.</summary>
    private const double SizeFactor = 1.3;

    /// <summary>Draws the figures of a group. The caller disposes of them.</summary>
    public static IEnumerable<(string Name, string Caption, Chart Chart)> Of(GroupFit group)
    {
        var suffix = group.Group.Length == 0 ? "" : "-" + FileName(group.Group);
        var of = group.Group.Length == 0 ? "" : $": {group.Group}";
        if (group.Parametric is { } parametric)
        {
            yield return ($"fit{suffix}", "Runs by size, with the fitted L(N, D) for each size (dashed).", Fit(
                group.Points, parametric, of));
            yield return ($"isoflop{suffix}", "Runs by budget, with the fitted L(N, D) at each budget (dashed) and its "
                + "minimum.", IsoFlop(group.Points, parametric, of));
            yield return ($"residuals{suffix}", "What the law misses: (run − law) / law. A trend means that the law "
                + "has the wrong form.", Residuals(group.Points, parametric, of));
        }

        if (group.Compute is { } compute)
            yield return ($"compute{suffix}", "All runs, the compute-efficient ones, and the fitted L(C) (dashed).",
                Compute(group, compute, of));
    }

    /// <summary>The frontiers of all groups in one figure; null with fewer than two.</summary>
    public static (string Name, string Caption, Chart Chart)? Comparison(ScalingFit fit)
    {
        var groups = fit.Groups.Where(group => group.Compute is not null).Take(MostCurves).ToList();
        if (groups.Count < 2)
            return null;
        var chart = new Chart("Compute-efficient loss by group", "compute C (FLOP)", "loss L", logX: true, logY: true);
        foreach (var group in groups)
        {
            var (law, frontier) = (group.Compute!.Fit.Law, group.Compute.Frontier);
            var xs = Range(frontier[0].Compute, 10 * frontier[^1].Compute);
            chart.Points(
                group.Group, [.. frontier.Select(point => point.Compute)], [.. frontier.Select(point => point.Loss)])
                .Line(group.Group, xs, [.. xs.Select(law.Loss)], dashed: true);
        }

        return ("groups", "Compute-efficient runs of each group and the fitted L(C) (dashed), drawn ten times beyond "
            + "the data.", chart);
    }

    private static Chart Fit(IReadOnlyList<ScalingPoint> points, ParametricResult result, string of)
    {
        var chart = new Chart("Loss against compute" + of, "compute C (FLOP)", "loss L", logX: true, logY: true);
        foreach (var level in Levels.Thin(Levels.Of(points, point => point.Parameters, SizeFactor), MostCurves))
        {
            var size = Mean(level, point => point.Parameters);
            var name = $"N = {Number(size)}";
            var xs = Range(level.Min(point => point.Compute), level.Max(point => point.Compute));
            chart.Points(name, [.. level.Select(point => point.Compute)], [.. level.Select(point => point.Loss)])
                .Line(
                    name, xs,
                    [.. xs.Select(
                        compute => result.Fit.Law.Loss(size, compute / (result.FlopsPerParameterToken * size)))],
                            dashed: true);
        }

        return chart;
    }

    private static Chart IsoFlop(IReadOnlyList<ScalingPoint> points, ParametricResult result, string of)
    {
        var law = result.Fit.Law;
        var chart = new Chart(
            "Loss against size at equal compute" + of, "parameters N", "loss L", logX: true, logY: true);
        var optima = new List<Allocation>();
        var (low, high) = (points.Min(point => point.Parameters), points.Max(point => point.Parameters));
        var levels = Levels.Of(points, point => point.Compute, Levels.ComputeFactor);
        // One or two runs show no profile; a table without profiles is drawn all the same.
        var profiles = levels.FindAll(level => level.Count >= 3);
        // The seventh color is left to the optima.
        foreach (var level in Levels.Thin(profiles.Count >= 2 ? profiles : levels, MostCurves - 1))
        {
            var compute = Mean(level, point => point.Compute);
            var optimum = law.Allocate(compute, result.FlopsPerParameterToken);
            var name = $"C = {Number(compute)}";
            var xs = Range(
                Math.Min(level.Min(point => point.Parameters), Math.Max(low, optimum.Parameters / 3)),
                Math.Max(level.Max(point => point.Parameters), Math.Min(high, optimum.Parameters * 3)));
            chart.Points(name, [.. level.Select(point => point.Parameters)], [.. level.Select(point => point.Loss)])
                .Line(
                    name, xs, [.. xs.Select(size => law.Loss(size, compute / (result.FlopsPerParameterToken * size)))],
                    dashed: true);
            optima.Add(optimum);
        }

        return chart.Points(
            "optimum", [.. optima.Select(optimum => optimum.Parameters)], [.. optima.Select(optimum => optimum.Loss)]);
    }

    private static Chart Residuals(IReadOnlyList<ScalingPoint> points, ParametricResult result, string of)
    {
        var chart = new Chart("Residuals" + of, "compute C (FLOP)", "(run − law) / law in percent", logX: true)
            .Level("", 0);
        return chart.Points(
            "",
            [.. points.Select(point => point.Compute)],
            [.. points.Select(
                point => 100 * ((point.Loss / result.Fit.Law.Loss(point.Parameters, point.Tokens)) - 1))]);
    }

    private static Chart Compute(GroupFit group, ComputeResult result, string of)
    {
        var frontier = result.Frontier;
        var xs = Range(frontier[0].Compute, frontier[^1].Compute * 10);
        return new Chart("Compute-efficient loss" + of, "compute C (FLOP)", "loss L", logX: true, logY: true)
            .Points(
                "runs", [.. group.Points.Select(point => point.Compute)], [.. group.Points.Select(point => point.Loss)])
            .Points(
                "compute-efficient", [.. frontier.Select(point => point.Compute)],
                [.. frontier.Select(point => point.Loss)])
            .Line("L(C)", xs, [.. xs.Select(result.Fit.Law.Loss)], dashed: true);
    }

    private static double[] Range(double low, double high)
        => [.. Enumerable.Range(0, CurvePoints).Select(i => low * Math.Pow(high / low, i / (CurvePoints - 1.0)))];

    private static double Mean(List<ScalingPoint> points, Func<ScalingPoint, double> value)
        => Math.Exp(points.Average(point => Math.Log(value(point))));

    private static string Number(double value)
        => value.ToString(value < 1e4 ? "0" : "0.0e0", CultureInfo.InvariantCulture);

    private static string FileName(string group)
        => string.Concat(
            group.Select(
                character => char.IsAsciiLetterOrDigit(character) || character is '+' or '.' or '_' ? character : '-'));
}
