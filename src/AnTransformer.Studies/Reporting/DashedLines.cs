using System.Text.RegularExpressions;
using ScottPlot;

namespace AnTransformer.Studies.Reporting;

/// <summary>
/// Dashed and dotted lines of a figure. Skia's SVG writer has no dashes: it cuts such lines into hundreds of filled
/// outlines and complains on standard error. They are drawn solid there, in an opacity that nothing else has, and
/// dashed afterwards by an SVG attribute.
/// </summary>
internal sealed partial class DashedLines
{
    private const byte DashedAlpha = 253;
    private const byte DottedAlpha = 252;

    private readonly List<(LineStyle Style, LinePattern Pattern, byte Alpha)> _lines = [];

    /// <summary>Makes a line dashed.</summary>
    public void Dash(LineStyle line) => Add(line, LinePattern.Dashed, DashedAlpha);

    /// <summary>Makes a line dotted.</summary>
    public void Dot(LineStyle line) => Add(line, LinePattern.Dotted, DottedAlpha);

    /// <summary>Writes an SVG with the lines dashed by attributes.</summary>
    public string Svg(Func<string> write)
    {
        var colors = _lines.ConvertAll(line => line.Style.Color);
        foreach (var (style, _, alpha) in _lines)
            (style.Pattern, style.Color) = (LinePattern.Solid, style.Color.WithAlpha(alpha));
        try
        {
            return Opacity()
                .Replace(write(), opacity => Math.Round(255 * double.Parse(opacity.Groups["value"].Value)) switch
            {
                DashedAlpha => "stroke-dasharray=\"9 6\"",
                DottedAlpha => "stroke-dasharray=\"2 4\"",
                _ => opacity.Value,
            });
        }
        finally
        {
            for (var i = 0; i < _lines.Count; i++)
                (_lines[i].Style.Pattern, _lines[i].Style.Color) = (_lines[i].Pattern, colors[i]);
        }
    }

    private void Add(LineStyle line, LinePattern pattern, byte alpha)
    {
        line.Pattern = pattern;
        _lines.Add((line, pattern, alpha));
    }

    [GeneratedRegex("stroke-opacity=\"(?<value>[0-9.]+)\"",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Opacity();
}
