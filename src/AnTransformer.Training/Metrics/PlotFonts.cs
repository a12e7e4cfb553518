using ScottPlot;
using SkiaSharp;

namespace AnTransformer.Training.Metrics;

/// <summary>
/// Gives plots the font embedded in this assembly. A server or container often has none at all, and then no text is
/// drawn; with this one, plots look the same everywhere.
/// </summary>
internal sealed class PlotFonts : IFontResolver
{
    private const string File = "OpenSans-Regular.ttf";
    private static readonly Lazy<string> Registered = new(Register);

    private readonly SKTypeface _typeface;

    private PlotFonts()
    {
        using var stream = typeof(PlotFonts).Assembly.GetManifestResourceStream(File)!;
        using var data = SKData.Create(stream);
        _typeface = SKTypeface.FromData(data);
    }

    /// <summary>The font's name for ScottPlot, which knows it from the first use on.</summary>
    public static string Family => Registered.Value;

    /// <inheritdoc/>
    public SKTypeface? CreateTypeface(string fontName, FontWeight weight, FontSlant slant, FontSpacing spacing)
        => fontName == _typeface.FamilyName ? _typeface : null;

    /// <inheritdoc/>
    public SKTypeface? CreateTypeface(string fontName, bool bold, bool italic)
        => fontName == _typeface.FamilyName ? _typeface : null;

    private static string Register()
    {
        var fonts = new PlotFonts();
        Fonts.FontResolvers.Add(fonts);
        return fonts._typeface.FamilyName;
    }
}
