using System.Globalization;
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
/// Draws loss curves: training loss faint and smoothed, validation loss with markers. Needs neither a display nor fonts, and
/// gives the same bytes for the same records.
/// </summary>
public static class LossPlot
{
    private const int Width = 900;
    private const int Height = 520;
    private const int PixelDensity = 2;
    private const double HighestShare = 0.98;

    private static readonly Color Ink = Color.FromHex("#24292f");
    private static readonly Color GridLines = Color.FromHex("#e6e8eb");
    private static readonly Color SingleTraining = Color.FromHex("#3b7dd8");
    private static readonly Color SingleValidation = Color.FromHex("#d1495b");

    // Okabe and Ito's palette (2008), distinguishable with color-vision deficiencies, without yellow.
    private static readonly Color[] Palette = Array.ConvertAll(
        ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"], Color.FromHex);

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
            var color = Palette[curves.Count % Palette.Length];
            curves.Add(new Curve(name, records, axis, color, color));
        }

        Save(pathWithoutExtension, curves, title, axis);
    }

    private static void Save(string pathWithoutExtension, IReadOnlyList<Curve> curves, string title, LossPlotAxis axis)
    {
        using var plot = new Plot();
        Style(plot, title, axis);
        foreach (var curve in curves)
            curve.AddTo(plot);
        SetLimits(plot, curves);
        AtomicFile.WriteAllText(pathWithoutExtension + ".svg", PlotSvg.Finish(plot.GetSvgXml(Width, Height)));
        plot.ScaleFactor = PixelDensity;
        var png = plot.GetImageBytes(Width * PixelDensity, Height * PixelDensity, ImageFormat.Png);
        AtomicFile.WriteAllBytes(pathWithoutExtension + ".png", png);
    }

    private static void Style(Plot plot, string title, LossPlotAxis axis)
    {
        plot.Font.Set(PlotFonts.Family);
        plot.FigureBackground.Color = Colors.White;
        plot.Axes.Color(Ink);
        plot.Grid.MajorLineColor = GridLines;
        plot.Axes.Right.FrameLineStyle.Width = 0;
        plot.Axes.Top.FrameLineStyle.Width = 0;
        plot.Axes.Title.Label.FontSize = 17;
        plot.Axes.Title.Label.Bold = false;
        plot.Axes.Bottom.Label.Bold = plot.Axes.Left.Label.Bold = false;
        plot.Axes.Bottom.Label.FontSize = plot.Axes.Left.Label.FontSize = 15;
        plot.Axes.Bottom.TickLabelStyle.FontSize = plot.Axes.Left.TickLabelStyle.FontSize = 13;
        plot.Axes.Bottom.TickGenerator = new NumericAutomatic { LabelFormatter = Count };
        plot.Title(title);
        plot.XLabel(axis == LossPlotAxis.Tokens ? "tokens" : "steps");
        plot.YLabel("loss (nats per token)");
        var legend = plot.ShowLegend(Alignment.UpperRight);
        legend.OutlineColor = GridLines;
        legend.ShadowColor = Colors.Transparent;
        legend.FontSize = 14;
        legend.FontColor = Ink;
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

    /// <summary>1500000 as 1.5M.</summary>
    private static string Count(double value) => value switch
    {
        >= 1e12 => Number(value / 1e12) + "T",
        >= 1e9 => Number(value / 1e9) + "B",
        >= 1e6 => Number(value / 1e6) + "M",
        >= 1e3 => Number(value / 1e3) + "k",
        _ => Number(value),
    };

    private static string Number(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);
}
