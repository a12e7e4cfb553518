using AnTransformer.Studies.Reporting;
using AnTransformer.Studies.Scaling.Fitting;
using AnTransformer.Studies.Scaling.Tables;
using AnTransformer.Studies.Statistics;

namespace AnTransformer.Studies.Scaling.Reporting;

/// <summary>The tables of a fit.</summary>
public static class ScalingSections
{
    /// <summary>The tables of a group: laws, allocations, and which runs they come from.</summary>
    /// <param name="group">The group.</param>
    public static IReadOnlyList<ReportTable> Of(GroupFit group)
    {
        ArgumentNullException.ThrowIfNull(group);
        var sections = new List<ReportTable>();
        if (group.Parametric is { } parametric)
        {
            sections.Add(Law("L(N, D) = E + A/N^α + B/D^β", Quantities.Parametric, parametric.Fit));
            if (parametric.Allocations.Count > 0)
                sections.Add(Allocations(parametric));
        }

        if (group.Compute is { } compute)
            sections.Add(
                Law(
                    $"L(C) = L∞ + k/C^γ, {compute.Frontier.Count} compute-efficient runs", Quantities.Compute,
                    compute.Fit));
        if (group.LearningRate is { } rate)
            sections.Add(Law("best learning rate = k N^p D^q", Quantities.Hyperparameter, rate));
        if (group.BatchSize is { } batch)
            sections.Add(Law("best batch size = k N^p D^q", Quantities.Hyperparameter, batch));
        return sections;
    }

    /// <summary>Exponents of the groups side by side; null with one group.</summary>
    /// <param name="fit">The fit.</param>
    public static ReportTable? Comparisons(ScalingFit fit)
    {
        ArgumentNullException.ThrowIfNull(fit);
        return fit.Comparisons.Count == 0 ? null : new ReportTable(
            "exponents of the groups",
            ["exponent", "groups", "first", "second", "second − first", "95 % interval", ""],
            [.. fit.Comparisons.Select(row => (IReadOnlyList<string>)
            [
                row.Symbol, $"{row.First}, {row.Second}", Number(row.FirstValue), Number(row.SecondValue),
                Number(row.Difference), Text(row.Interval),
                row.Interval is null ? "" : row.Interval.SpansZero ? "no difference shown" : "different",
            ])]);
    }

    /// <summary>What a fit rests on, in one sentence.</summary>
    /// <param name="group">The group.</param>
    public static string Summary(GroupFit group)
    {
        ArgumentNullException.ThrowIfNull(group);
        var points = group.Points;
        var name = group.Group.Length == 0 ? "" : $"{group.Group}: ";
        var sizes = double.IsNaN(points[0].Parameters)
            ? ""
            : $"N {Range(point => point.Parameters)}, D {Range(point => point.Tokens)}, ";
        return $"{name}{points.Count} runs; {sizes}C {Range(point => point.Compute)}, L {Range(point => point.Loss)}"
            + (group.Parametric is { } parametric
                ? $"; relative error of L(N, D) {100 * parametric.Fit.Quality.RootMeanSquare:g3} % (root mean square), "
                    + $"{100 * parametric.Fit.Quality.MeanAbsolute:g3} % (mean)"
                : "");

        string Range(Func<ScalingPoint, double> value) => $"{Number(points.Min(value))} to {Number(points.Max(value))}";
    }

    private static ReportTable Law<TLaw>(string title, IReadOnlyList<Quantity<TLaw>> quantities, Fitted<TLaw> fit)
        where TLaw : class
        => new(
            title,
            ["", "value", "95 % interval"],
            [.. quantities.Select(
                quantity => (IReadOnlyList<string>)[quantity.Symbol, Number(quantity.Of(fit.Law)), Text(
                    fit.IntervalOf(quantity.Of))])]);

    private static ReportTable Allocations(ParametricResult result) => new(
        "compute-optimal sizes (* beyond all runs)",
        ["compute", "parameters", "95 % interval", "tokens", "95 % interval", "tokens per parameter", "loss",
            "95 % interval"],
        [.. result.Allocations.Select(row => (IReadOnlyList<string>)
        [
            $"{row.Optimum.Compute:0.###e0}{(row.IsExtrapolated ? " *" : "")}", Number(row.Optimum.Parameters),
            Text(row.Parameters), Number(row.Optimum.Tokens),
            Text(row.Tokens), Number(row.Optimum.TokensPerParameter), Number(row.Optimum.Loss), Text(row.Loss),
        ])]);

    private static string Text(Interval? interval)
        => interval is null ? "-" : $"{Number(interval.Low)} to {Number(interval.High)}";

    private static string Number(double value) => double.IsFinite(value)
        ? Math.Abs(value) is >= 1e5 or (< 1e-3 and > 0)
            ? value.ToString("0.000e0")
            : value.ToString(Math.Abs(value) >= 100 ? "0.00" : "0.0000")
        : "-";
}
