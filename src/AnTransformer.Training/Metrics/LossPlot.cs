using AnTransformer.Checkpoints;
using ScottPlot;

namespace AnTransformer.Training.Metrics;

/// <summary>Draws loss curves: training loss and its running mean, validation loss with markers, over tokens.</summary>
public static class LossPlot
{
    private const int Width = 1000;
    private const int Height = 560;
    private const double SmoothingShare = 0.02;

    /// <summary>Draws one run as PNG and SVG.</summary>
    /// <param name="pathWithoutExtension">Where; <c>.png</c> and <c>.svg</c> are appended.</param>
    /// <param name="records">The run's metrics.</param>
    /// <param name="title">Title of the plot.</param>
    public static void Save(string pathWithoutExtension, IReadOnlyList<MetricsRecord> records, string title)
        => Save(pathWithoutExtension, [("", records)], title);

    /// <summary>Draws several runs in one plot as PNG and SVG.</summary>
    /// <param name="pathWithoutExtension">Where; <c>.png</c> and <c>.svg</c> are appended.</param>
    /// <param name="runs">Names and metrics.</param>
    /// <param name="title">Title of the plot.</param>
    public static void Save(string pathWithoutExtension, IReadOnlyList<(string Name, IReadOnlyList<MetricsRecord> Records)> runs, string title)
    {
        using var plot = new Plot();
        var palette = new ScottPlot.Palettes.Category10();
        var losses = new List<double>();
        for (var i = 0; i < runs.Count; i++)
        {
            var (name, records) = runs[i];
            var prefix = name.Length == 0 ? "" : name + ": ";
            AddTraining(plot, records, palette.GetColor(2 * i), prefix, losses);
            AddValidation(plot, records, palette.GetColor((2 * i) + 1), prefix, losses);
        }

        plot.Title(title);
        plot.XLabel("tokens (millions)");
        plot.YLabel("loss (nats per token)");
        plot.ShowLegend(Alignment.UpperRight);
        plot.Axes.AutoScale();
        if (losses.Count > 0)
            plot.Axes.SetLimitsY(losses.Min() - 0.1, losses.Max() + 0.1);
        AtomicFile.Write(pathWithoutExtension + ".png", stream => stream.Write(plot.GetImageBytes(Width, Height, ImageFormat.Png)));
        AtomicFile.WriteAllText(pathWithoutExtension + ".svg", plot.GetSvgXml(Width, Height));
    }

    private static void AddTraining(Plot plot, IReadOnlyList<MetricsRecord> records, Color color, string prefix, List<double> losses)
    {
        var training = records.Where(record => record.Loss is { } loss && double.IsFinite(loss)).ToList();
        if (training.Count == 0)
            return;
        var tokens = training.Select(Millions).ToArray();
        var values = training.Select(record => record.Loss!.Value).ToArray();
        losses.AddRange(values);
        var raw = plot.Add.ScatterLine(tokens, values, color.WithAlpha(0.3));
        raw.LineWidth = 1;
        var smooth = plot.Add.ScatterLine(tokens, Smooth(values), color);
        smooth.LineWidth = 2;
        smooth.LegendText = prefix + "training";
    }

    private static void AddValidation(Plot plot, IReadOnlyList<MetricsRecord> records, Color color, string prefix, List<double> losses)
    {
        var validation = records.Where(record => record.ValLoss is { } loss && double.IsFinite(loss)).ToList();
        if (validation.Count == 0)
            return;
        var values = validation.Select(record => record.ValLoss!.Value).ToArray();
        losses.AddRange(values);
        var scatter = plot.Add.Scatter(validation.Select(Millions).ToArray(), values, color);
        scatter.LineWidth = 2;
        scatter.MarkerSize = 7;
        scatter.LegendText = $"{prefix}validation (last {values[^1]:f3})";
    }

    private static double Millions(MetricsRecord record) => record.Tokens / 1e6;

    private static double[] Smooth(double[] values)
    {
        var half = Math.Max(1, (int)(values.Length * SmoothingShare));
        return values.Select((_, i) => values[Math.Max(0, i - half)..Math.Min(values.Length, i + half + 1)].Average()).ToArray();
    }
}
