using System.Globalization;
using System.Text.RegularExpressions;

namespace AnTransformer.Training.Metrics;

/// <summary>Makes the SVG that Skia writes fit for a file.</summary>
internal static partial class PlotSvg
{
    /// <summary>Skia's SVG with stable identifiers and other fonts to fall back on.</summary>
    public static string Finish(string svg) => WithFontFallback(WithStableIdentifiers(svg));

    // Skia counts its clip paths over the life of the process; the same plot should give the same file.
    private static string WithStableIdentifiers(string svg)
    {
        var numbers = new Dictionary<string, int>();
        return ClipPath().Replace(svg, match =>
        {
            numbers.TryAdd(match.Value, numbers.Count);
            return "clip" + numbers[match.Value].ToString(CultureInfo.InvariantCulture);
        });
    }

    // A viewer that lacks the font should take another sans-serif one, not its default.
    private static string WithFontFallback(string svg)
    {
        var family = $"font-family=\"{PlotFonts.Family}";
        return svg.Replace(family, family + ", Helvetica, Arial, sans-serif", StringComparison.Ordinal);
    }

    [GeneratedRegex("(?<=id=\"|url\\(#)cl_[0-9a-f]+(?=\"|\\))", RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 10_000)]
    private static partial Regex ClipPath();
}
