using System.Globalization;
using AnTransformer.Architectures;
using AnTransformer.Training.Benchmarking;
using AnTransformer.Training.Devices;
using ScottPlot;

namespace AnTransformer.Benchmarks;

/// <summary>
/// <c>widths FOLDER WIDTH …</c>: how much of the multiplier's peak training steps of the four architectures reach, against
/// the width of the model; steps interleaved, medians. Writes <c>widths.csv</c> and <c>widths.svg</c>.
/// </summary>
internal static class WidthBenchmark
{
    private const int Rounds = 9;
    private const int Length = 256;
    private const int VocabSize = 4096;
    private static readonly string[] Architectures = ["gpt", "gpt+", "ngpt", "angpt"];
    private static readonly string[] Colors = ["#3b7dd8", "#2f9e44", "#e8890c", "#d1495b"];

    public static int Run(string folder, string[] widths)
    {
        Directory.CreateDirectory(folder);
        var measured = new List<(int Width, int Layers, int Tokens, string Architecture, double Flops, IReadOnlyList<double> Seconds)>();
        var peak = 0.0;
        foreach (var width in widths.Select(word => int.Parse(word, CultureInfo.InvariantCulture)))
        {
            // A ceiling: the best of those measured between the widths, of which another program may have disturbed some.
            peak = Math.Max(peak, MachineDescription.Measure().PeakFlops);
            var (layers, batch) = (width < 128 ? 3 : width < 256 ? 4 : width < 512 ? 6 : 8, width < 512 ? 16 : 8);
            foreach (var timings in Steps(width, layers, batch))
            {
                var flops = ModelCost.TrainingFlopsPerToken(timings.Contestant.Model) * batch * Length;
                measured.Add((width, layers, batch * Length, timings.Contestant.Name, flops, timings.Seconds));
            }
        }

        var rows = measured.Select(row => (row.Width, row.Architecture, Share: Spread.Of(row.Seconds.Select(s => row.Flops / s / peak)))).ToList();
        var text = new List<string> { "width,layers,tokens_per_step,architecture,gflops,peak_gflops,share_of_peak,lowest,highest" };
        text.AddRange(measured.Zip(rows, (row, result) => string.Create(
            CultureInfo.InvariantCulture,
            $"{row.Width},{row.Layers},{row.Tokens},{row.Architecture},{result.Share.Median * peak / 1e9:f1},{peak / 1e9:f1},"
                + $"{result.Share.Median:f3},{result.Share.Lowest:f3},{result.Share.Highest:f3}")));
        text.ForEach(Console.WriteLine);
        File.WriteAllLines(Path.Combine(folder, "widths.csv"), text);
        Draw(Path.Combine(folder, "widths.svg"), rows);
        return 0;
    }

    private static IReadOnlyList<StepTimings> Steps(int width, int layers, int batch)
    {
        var model = new BenchmarkModel(width, layers, Math.Max(1, width / 64), Length, batch, VocabSize);
        var steps = Architectures.Select(model.Create).ToList();
        var contestants = steps.Zip(Architectures, (step, name) => new Contestant(name, step.Model.Config, IsProfiled: false, step)).ToList();
        var result = new StepBenchmark(contestants, model.Batches(), BenchmarkModel.Context)
            .Run(warmupRounds: 2, Rounds, _ => { }, CancellationToken.None);
        steps.ForEach(step => step.Dispose());
        return result.Timings;
    }

    private static void Draw(string path, List<(int Width, string Architecture, Spread Share)> rows)
    {
        using var plot = new Plot();
        plot.XLabel("width of the model");
        plot.YLabel("share of the multiplier's peak");
        foreach (var (architecture, color) in Architectures.Zip(Colors))
        {
            var own = rows.Where(row => row.Architecture == architecture).ToList();
            // Widths double: their logarithm is drawn.
            var line = plot.Add.Scatter(own.Select(row => Math.Log2(row.Width)).ToArray(), own.Select(row => row.Share.Median).ToArray());
            (line.LegendText, line.Color, line.MarkerSize) = (architecture, Color.FromHex(color), 7);
        }

        var ticks = rows.Select(row => row.Width).Distinct().ToList();
        plot.Axes.Bottom.SetTicks([.. ticks.Select(width => Math.Log2(width))], [.. ticks.Select(width => width.ToString(CultureInfo.InvariantCulture))]);
        plot.Axes.SetLimitsY(0, 1);
        plot.ShowLegend(Alignment.LowerRight);
        plot.SaveSvg(path, 640, 400);
    }
}
