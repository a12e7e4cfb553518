using AnTransformer.Checkpoints;
using ScottPlot;
using ScottPlot.TickGenerators;

namespace AnTransformer.Training.Metrics;

/// <summary>What a loss curve is drawn over.</summary>
public enum LossPlotAxis
{
    /// <summary>Tokens trained on: comparable across batch sizes.</summary>
    Tokens,

    /// <summary>Optimizer steps.</summary>
    Steps,
}

/// <summary>
/// Draws loss curves: training loss faint and smoothed, validation loss with markers. Needs neither a display nor
/// fonts, and gives the same bytes for the same records.
/// </summary>
public static class LossPlot
{
    private const double HighestShare = 0.98;

    private static readonly Color SingleTraining = Color.FromHex("#3b7dd8");
    private static readonly Color SingleValidation = Color.FromHex("#d1495b");

    /// <summary>Draws one run as PNG and SVG.</summary>
    /// <param name="pathWithoutExtension">Where; <c>.png</c> and <c>.svg</c> are appended.</param>
    /// <param name="records">The run's metrics.</param>
    /// <param name="title">Title of the plot.</param>
    /// <param name="axis">What the losses are drawn over.</param>
    /// <exception cref="InvalidInputException">A file cannot be written.</exception>
    public static void Save(
        string pathWithoutExtension,
        IReadOnlyList<MetricsRecord> records,
        string title,
        LossPlotAxis axis = LossPlotAxis.Tokens)
        => Save(pathWithoutExtension, [new Curve("", records, axis, SingleTraining, SingleValidation)], title, axis);

    /// <summary>Draws several runs in one figure as PNG and SVG, each in a color of its own.</summary>
    /// <param name="pathWithoutExtension">Where; <c>.png</c> and <c>.svg</c> are appended.</param>
    /// <param name="runs">Names and metrics.</param>
    /// <param name="title">Title of the plot.</param>
    /// <param name="axis">What the losses are drawn over.</param>
    /// <exception cref="InvalidInputException">A file cannot be written.</exception>
    public static void Save(
        string pathWithoutExtension,
        IReadOnlyList<(string Name, IReadOnlyList<MetricsRecord> Records)> runs,
        string title,
        LossPlotAxis axis = LossPlotAxis.Tokens)
    {
        var curves = new List<Curve>();
        foreach (var (name, records) in runs)
        {
            var color = FigureStyle.Palette[curves.Count % FigureStyle.Palette.Count];
            curves.Add(new Curve(name, records, axis, color, color));
        }

        Save(pathWithoutExtension, curves, title, axis);
    }

    private static void Save(string pathWithoutExtension, IReadOnlyList<Curve> curves, string title, LossPlotAxis axis)
    {
        using var plot = new Plot();
        FigureStyle.Apply(plot, title, axis == LossPlotAxis.Tokens ? "tokens" : "steps", "loss (nats per token)");
        plot.Axes.Bottom.TickGenerator = new NumericAutomatic { LabelFormatter = FigureStyle.Count };
        foreach (var curve in curves)
            curve.AddTo(plot);
        SetLimits(plot, curves);
        AtomicFile.WriteAllText(pathWithoutExtension + ".svg", FigureStyle.Svg(plot));
        AtomicFile.WriteAllBytes(pathWithoutExtension + ".png", FigureStyle.Png(plot));
    }

    private static void SetLimits(Plot plot, IReadOnlyList<Curve> curves)
    {
        var losses = curves.SelectMany(curve => curve.Losses).Order().ToList();
        if (losses.Count == 0)
            return;
        // The first steps begin far above the rest, and would leave it a flat line at the bottom.
        var training = curves.SelectMany(curve => curve.TrainingLosses).Order().ToList();
        var high = training.Count > 0 ? training[(int)(HighestShare * (training.Count - 1))] : losses[^1];
        high = Math.Max(high, curves.SelectMany(curve => curve.LastLosses).DefaultIfEmpty(high).Max());
        var margin = Math.Max(0.05 * (high - losses[0]), 0.02);
        plot.Axes.SetLimitsY(losses[0] - margin, high + margin);
        var end = curves.Max(curve => curve.End);
        plot.Axes.SetLimitsX(0, end > 0 ? 1.02 * end : 1);
    }
}
