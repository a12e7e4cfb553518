using System.Globalization;
using ScottPlot;

namespace AnTransformer.Training.Metrics;

/// <summary>How all plots of the project look.</summary>
internal static class FigureStyle
{
    public const int Width = 900;
    public const int Height = 520;

    private const int PixelDensity = 2;

    private static readonly Color Ink = Color.FromHex("#24292f");
    private static readonly Color GridLines = Color.FromHex("#e6e8eb");

    /// <summary>
    /// Okabe and Ito's colors (2008), distinguishable with color-vision deficiencies, without yellow.
    /// </summary>
    public static IReadOnlyList<Color> Palette { get; } = Array.ConvertAll(
        ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"], Color.FromHex);

    /// <summary>Sets fonts, colors, title and labels.</summary>
    public static void Apply(Plot plot, string title, string xLabel, string yLabel)
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
        plot.Title(title);
        plot.XLabel(xLabel);
        plot.YLabel(yLabel);
        var legend = plot.ShowLegend(Alignment.UpperRight);
        legend.OutlineColor = GridLines;
        legend.ShadowColor = Colors.Transparent;
        legend.FontSize = 14;
        legend.FontColor = Ink;
    }

    /// <summary>The plot as an SVG document, the same for the same plot.</summary>
    public static string Svg(Plot plot) => PlotSvg.Finish(plot.GetSvgXml(Width, Height));

    /// <summary>The plot as a PNG image for screens of high density.</summary>
    public static byte[] Png(Plot plot)
    {
        plot.ScaleFactor = PixelDensity;
        var png = plot.GetImageBytes(Width * PixelDensity, Height * PixelDensity, ImageFormat.Png);
        plot.ScaleFactor = 1;
        return png;
    }

    /// <summary>1500000 as 1.5M.</summary>
    public static string Count(double value) => value switch
    {
        >= 1e12 => Number(value / 1e12) + "T",
        >= 1e9 => Number(value / 1e9) + "B",
        >= 1e6 => Number(value / 1e6) + "M",
        >= 1e3 => Number(value / 1e3) + "k",
        _ => Number(value),
    };

    private static string Number(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);
}
