using AnTransformer.Configuration;
using AnTransformer.Inspection;
using AnTransformer.Layers;
using AnTransformer.Studies.Reporting;

namespace AnTransformer.Studies.Inspection;

/// <summary>The figures of an inspection by layer.</summary>
/// <param name="inspection">What was found.</param>
internal sealed class InspectionCharts(ModelInspection inspection)
{
    private readonly int _layers = inspection.Config.NumHiddenLayers;
    private readonly string _name = inspection.Config.Architecture;

    /// <summary>The figures that this model has something to show in, with file names and captions.</summary>
    public IEnumerable<(string File, string Caption, Chart Chart)> All()
    {
        yield return ("stream", "Mean norm of the residual stream by depth, 5 % to 95 % of tokens, and the prediction "
            + "(for gpt and gpt+ an upper bound at initialization).", Stream());
        yield return ("attention", Ratios, OverPrediction(
            "attention", Activation.Query, Activation.Key, Activation.Value, Activation.AttentionHead,
            Activation.AttentionOutput));
        yield return ("mlp", Ratios, OverPrediction(
            "MLP", Activation.Gate, Activation.Up, Activation.Gated, Activation.MlpOutput));
        yield return ("amplification", "How many times longer products are than spread directions would make them.",
            Amplification());
        yield return ("alignment", "Largest |cos| of a row and the mean of what the matrix is applied to; the dotted "
            + "line is the mean |cos| of random directions.", Alignment());
        yield return ("rows", "Norms of rows (columns of nGPT's output matrices): median and 5 % to 95 %, the layers "
            + "of each matrix side by side.", VectorNorms());
        if (inspection.Scales.Any(IsAlpha))
            yield return ("alpha", "|α| by layer: mean and 5 % to 95 % of channels.", Scales(
                "share of a residual update", "|α|", IsAlpha));
        if (inspection.Scales.Any(item => item.Layer is not null && !IsAlpha(item)))
            yield return ("scales", "Other learned scales and gains by layer: mean and 5 % to 95 % of channels.",
                Scales("learned scales", "value", item => !IsAlpha(item)));
    }

    private const string Ratios = "Mean norm over its prediction by layer, 5 % to 95 % of tokens; y and a are "
        + "predicted for values that are all the same, and shorter otherwise.";

    private static bool IsAlpha(ScaleStatistics scale) => scale.Scale.EndsWith("_alpha", StringComparison.Ordinal);

    private Chart Stream()
    {
        var stream = inspection.Activations
            .Where(
                item => item.Activation is Activation.Embedding or Activation.StreamAfterAttention
                    or Activation.StreamAfterMlp).ToList();
        double[] depth = [.. stream.Select(
            item => item.Layer is { } layer ? layer + (item.Activation == Activation.StreamAfterMlp ? 1 : 0.5) : 0)];
        return new Chart($"{_name}: residual stream", "blocks passed", "norm of h")
            .Line("measured", depth, [.. stream.Select(item => item.Norm.Mean)], markers: true)
            .Band(
                "measured", depth, [.. stream.Select(item => item.Norm.P5)], [.. stream.Select(item => item.Norm.P95)])
            .Line("predicted", depth, [.. stream.Select(item => item.Predicted?.Value ?? double.NaN)], dashed: true)
            .LimitX(-0.2, 1.2 * _layers);
    }

    private Chart OverPrediction(string part, params Activation[] activations)
    {
        var chart = new Chart($"{_name}: norms of {part}", "layer", "norm / predicted");
        foreach (var activation in activations)
        {
            var norms = Enumerable.Range(0, _layers).Select(layer => inspection.Norm(layer, activation)).ToList();
            double[] Over(Func<Distribution, double> figure)
                => [.. norms.Select(item => figure(item.Norm) / (item.Predicted?.Value ?? double.NaN))];
            var symbol = activation.ToSymbol() + (norms[0].Predicted is { IsUpperBound: true } ? " (bound)" : "");
            chart.Line(symbol, Layers(), Over(norm => norm.Mean), markers: true)
                .Band(symbol, Layers(), Over(norm => norm.P5), Over(norm => norm.P95));
        }

        return OverLayers(chart.Level("predicted", 1));
    }

    private Chart Amplification()
        => ByMatrix(
            new Chart(
                $"{_name}: shared directions lengthen products", "layer",
                "norm of W x / that of spread directions"), item => item.Amplification).Level("spread directions", 1);

    private Chart Alignment()
        => ByMatrix(
            new Chart($"{_name}: rows along the mean of their input", "layer", "largest |cos|"),
            item => item.Cosines.Highest)
            .Level("mean of random", Math.Sqrt(2 / (Math.PI * inspection.Config.HiddenSize)));

    private Chart ByMatrix(Chart chart, Func<MatrixAlignment, double> figure)
    {
        foreach (var group in inspection.Alignments.Where(item => item.Layer is not null).GroupBy(item => item.Matrix))
            chart.Line(
                group.Key, [.. group.Select(item => (double)item.Layer!)], [.. group.Select(figure)], markers: true);
        return OverLayers(chart);
    }

    private Chart VectorNorms()
    {
        var groups = inspection.Matrices.GroupBy(item => item.Matrix).ToList();
        var chart = new Chart($"{_name}: norms of the rows of matrices", "", "norm of a row");
        for (var i = 0; i < groups.Count; i++)
        {
            var items = groups[i].ToList();
            double[] xs = [.. items.Select(
                (_, layer) => i + (items.Count == 1 ? 0 : 0.7 * ((double)layer / (items.Count - 1) - 0.5)))];
            chart.Points("", xs, Figures(item => item.Median), Figures(item => item.P5), Figures(item => item.P95));

            double[] Figures(Func<Distribution, double> figure) => [.. items.Select(item => figure(item.VectorNorms))];
        }

        chart.Ticks([.. groups.Select((_, i) => (double)i)], [.. groups.Select(group => group.Key)]);
        return inspection.Config.Constraint == RowConstraint.None
            ? chart
            : chart.Level("bound", 1).LegendAt(lower: true, left: false);
    }

    private Chart Scales(string title, string label, Func<ScaleStatistics, bool> belongs)
    {
        var chart = new Chart($"{_name}: {title}", "layer", label);
        foreach (var group in inspection.Scales.Where(item => item.Layer is not null && belongs(item))
            .GroupBy(item => item.Scale))
        {
            double[] layers = [.. group.Select(item => (double)item.Layer!)];
            chart.Line(group.Key, layers, [.. group.Select(item => item.Values.Mean)], markers: true)
                .Band(
                    group.Key, layers, [.. group.Select(item => item.Values.P5)],
                    [.. group.Select(item => item.Values.P95)]);
        }

        return OverLayers(chart);
    }

    /// <summary>Whole numbers below, and room for the legend beside the last layer.</summary>
    private Chart OverLayers(Chart chart)
    {
        const int mostTicks = 16;
        var every = (_layers + mostTicks - 1) / mostTicks;
        double[] ticks = [.. Layers().Where((_, layer) => layer % every == 0)];
        return chart.Ticks(ticks, [.. ticks.Select(layer => $"{layer}")]).LimitX(-0.2, (1.28 * _layers) - 0.8);
    }

    private double[] Layers() => [.. Enumerable.Range(0, _layers).Select(layer => (double)layer)];
}
