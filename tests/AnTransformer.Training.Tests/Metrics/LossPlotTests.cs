using System.Xml.Linq;
using AnTransformer.Training.Metrics;
using SkiaSharp;

namespace AnTransformer.Training.Tests.Metrics;

public sealed class LossPlotTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Plot => _folder.File("loss");

    [Fact]
    public void The_png_has_its_size_a_white_ground_and_ink_of_curves_and_text()
    {
        LossPlot.Save(Plot, Run(), "A title");
        using var picture = SKBitmap.Decode(Plot + ".png");
        Assert.Equal((1800, 1040), (picture.Width, picture.Height));
        Assert.Equal(SKColors.White, picture.GetPixel(2, 2));
        Assert.True(Count(picture, SKColor.Parse("#3b7dd8"), new SKRectI(100, 100, 1800, 940)) > 1000, "the smoothed curve");
        Assert.True(Count(picture, SKColor.Parse("#d1495b"), new SKRectI(100, 100, 1800, 940)) > 200, "the markers");
        // No font means no ink here: the title, and the label of the axis below.
        Assert.True(Count(picture, SKColor.Parse("#24292f"), new SKRectI(0, 0, 1800, 80)) > 100, "the title");
        Assert.True(Count(picture, SKColor.Parse("#24292f"), new SKRectI(0, 985, 1800, 1040)) > 100, "the label");
    }

    [Fact]
    public void The_svg_is_xml_with_title_labels_and_legend_as_text()
    {
        LossPlot.Save(Plot, Run(), "d = 128 & L < 4");
        var texts = Texts();
        Assert.Contains("d = 128 & L < 4", texts);
        Assert.Contains("tokens", texts);
        Assert.Contains("loss (nats per token)", texts);
        Assert.Contains("training (smoothed)", texts);
        Assert.Contains("validation (2.023 at the end)", texts);
        Assert.Contains("100k", texts);
        Assert.Contains("font-family=\"Open Sans, Helvetica", File.ReadAllText(Plot + ".svg"), StringComparison.Ordinal);
    }

    [Fact]
    public void Several_runs_are_one_figure_with_a_color_and_a_name_each()
    {
        LossPlot.Save(Plot, [("angpt", Run()), ("gpt+", Run(0.5))], "Comparison", LossPlotAxis.Steps);
        var texts = Texts();
        Assert.Contains("angpt (validation 2.023 at the end)", texts);
        Assert.Contains("gpt+ (validation 2.523 at the end)", texts);
        Assert.Contains("steps", texts);
        var svg = File.ReadAllText(Plot + ".svg");
        Assert.Contains("#0072B2", svg, StringComparison.Ordinal);
        Assert.Contains("#D55E00", svg, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_records_give_the_same_bytes()
    {
        LossPlot.Save(Plot, Run(), "A title");
        LossPlot.Save(_folder.File("again"), Run(), "A title");
        Assert.Equal(File.ReadAllBytes(Plot + ".png"), File.ReadAllBytes(_folder.File("again.png")));
        Assert.Equal(File.ReadAllBytes(Plot + ".svg"), File.ReadAllBytes(_folder.File("again.svg")));
        Assert.Equal(4, Directory.GetFileSystemEntries(_folder.Path).Length);
    }

    public static TheoryData<MetricsRecord[]> Sparse => new(
        [],
        [new MetricsRecord { Step = 1, Tokens = 10, Loss = 3 }],
        [new MetricsRecord { Step = 0, Tokens = 0, ValLoss = 3 }],
        [new MetricsRecord { Step = 1, Tokens = 10, Loss = 3 }, new MetricsRecord { Step = 2, Tokens = 20, Loss = 3 }],
        [new MetricsRecord { Step = 1, Tokens = 10, Loss = 3 }, new MetricsRecord { Step = 2, Tokens = 20, Loss = double.NaN }],
        [new MetricsRecord { Step = 1, Tokens = 10, Loss = 3 }, new MetricsRecord { Step = 2, Tokens = 20, Loss = 1e30 }],
        [new MetricsRecord { Step = 1, Tokens = 10, Loss = double.PositiveInfinity }]);

    [Theory]
    [MemberData(nameof(Sparse))]
    public void Short_and_diverged_runs_are_drawn_too(MetricsRecord[] records)
    {
        LossPlot.Save(Plot, records, "Short");
        Assert.Contains("Short", Texts());
        using var picture = SKBitmap.Decode(Plot + ".png");
        Assert.NotNull(picture);
    }

    public void Dispose() => _folder.Dispose();

    private static List<MetricsRecord> Run(double offset = 0)
    {
        var records = new List<MetricsRecord>();
        for (var step = 1; step <= 300; step++)
        {
            var loss = 2 + offset + (7 / (1.0 + step)) + (0.05 * Math.Sin(step * step));
            records.Add(new MetricsRecord { Step = step, Tokens = step * 1024, Loss = loss });
            if (step % 50 == 0)
                records.Add(new MetricsRecord { Step = step, Tokens = step * 1024, ValLoss = 2 + offset + (7 / (1.0 + step)) });
        }

        return records;
    }

    private static int Count(SKBitmap picture, SKColor color, SKRectI area)
    {
        var count = 0;
        for (var y = area.Top; y < area.Bottom; y++)
        {
            for (var x = area.Left; x < area.Right; x++)
                count += picture.GetPixel(x, y) == color ? 1 : 0;
        }

        return count;
    }

    private List<string> Texts()
        => XDocument.Load(Plot + ".svg").Descendants()
            .Where(item => item.Name.LocalName == "text")
            .Select(item => item.Value.Trim())
            .ToList();
}
