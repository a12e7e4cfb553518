using System.Globalization;
using AnTransformer.Checkpoints;
using AnTransformer.Training.Metrics;
using ScottPlot;
using ScottPlot.TickGenerators;

namespace AnTransformer.Studies.Reporting;

/// <summary>
/// A figure in the project's style: curves, points with error bars, bands, reference lines, heat maps; axes linear or
/// logarithmic. Numbers that are not finite, or not positive on a logarithmic axis, are left out. The same data gives
/// the same bytes.
/// </summary>
public sealed class Chart : IDisposable
{
    private readonly Plot _plot = new();
    private readonly bool _logX;
    private readonly bool _logY;
    private readonly Dictionary<string, Color> _colors = [];
    private readonly DashedLines _dashed = new();

    /// <summary>Creates an empty figure.</summary>
    /// <param name="title">Title.</param>
    /// <param name="xLabel">Label of the horizontal axis, with the unit.</param>
    /// <param name="yLabel">Label of the vertical axis, with the unit.</param>
    /// <param name="logX">Whether the horizontal axis is logarithmic.</param>
    /// <param name="logY">Whether the vertical axis is logarithmic.</param>
    public Chart(string title, string xLabel, string yLabel, bool logX = false, bool logY = false)
    {
        (_logX, _logY) = (logX, logY);
        FigureStyle.Apply(_plot, title, xLabel, yLabel);
        _plot.Axes.Bottom.TickGenerator = Ticks(logX);
        _plot.Axes.Left.TickGenerator = Ticks(logY);
    }

    /// <summary>
    /// A curve through points in the order given. Series of one name share a color and a line of the legend.
    /// </summary>
    /// <param name="name">Name in the legend; empty for none.</param>
    /// <param name="xs">Abscissas.</param>
    /// <param name="ys">Ordinates, as many.</param>
    /// <param name="markers">Whether to mark the points.</param>
    /// <param name="dashed">Whether the line is dashed, as fits and predictions are drawn.</param>
    /// <param name="faint">Whether it is drawn thin and pale, as single seeds are.</param>
    public Chart Line(
        string name, IReadOnlyList<double> xs, IReadOnlyList<double> ys, bool markers = false, bool dashed = false,
        bool faint = false)
    {
        var (x, y) = Usable(xs, ys);
        if (x.Length == 0)
            return this;
        var isNew = !_colors.ContainsKey(name);
        var color = ColorOf(name);
        var line = _plot.Add.Scatter(x, y, faint ? color.WithAlpha(0.35) : color);
        line.MarkerSize = markers ? 7 : 0;
        line.LineWidth = faint ? 1 : 2;
        if (dashed)
            _dashed.Dash(line.LineStyle);
        if (isNew)
            line.LegendText = name;
        return this;
    }

    /// <summary>Single points, with error bars where given.</summary>
    /// <param name="name">Name in the legend; empty for none.</param>
    /// <param name="xs">Abscissas.</param>
    /// <param name="ys">Ordinates, as many.</param>
    /// <param name="lows">Lower ends of the error bars, as many, or null.</param>
    /// <param name="highs">Upper ends of the error bars, as many, or null.</param>
    public Chart Points(
        string name,
        IReadOnlyList<double> xs,
        IReadOnlyList<double> ys,
        IReadOnlyList<double>? lows = null,
        IReadOnlyList<double>? highs = null)
    {
        var isNew = !_colors.ContainsKey(name);
        var color = ColorOf(name);
        for (var i = 0; lows is not null && highs is not null && i < xs.Count; i++)
        {
            var (x, y) = Usable([xs[i], xs[i]], [lows[i], highs[i]]);
            if (x.Length == 2)
                _plot.Add.Scatter(x, y, color).MarkerSize = 0;
        }

        var (px, py) = Usable(xs, ys);
        if (px.Length == 0)
            return this;
        var points = _plot.Add.ScatterPoints(px, py, color);
        points.MarkerStyle = new MarkerStyle(MarkerShape.FilledCircle, 9, color)
        {
            OutlineColor = Colors.White,
            OutlineWidth = 1.5f,
        };
        if (isNew)
            points.LegendText = name;
        return this;
    }

    /// <summary>The area between two curves, pale, in the color of the series of that name.</summary>
    /// <param name="name">Name of the series; the band itself has no line in the legend.</param>
    /// <param name="xs">Abscissas.</param>
    /// <param name="lows">Lower curve, as many.</param>
    /// <param name="highs">Upper curve, as many.</param>
    public Chart Band(string name, IReadOnlyList<double> xs, IReadOnlyList<double> lows, IReadOnlyList<double> highs)
    {
        var points = Enumerable.Range(0, xs.Count)
            .Where(i => IsUsable(xs[i], _logX) && IsUsable(lows[i], _logY) && IsUsable(highs[i], _logY))
            .Select(i => (X: At(xs[i], _logX), Low: At(lows[i], _logY), High: At(highs[i], _logY)))
            .ToList();
        if (points.Count < 2)
            return this;
        var fill = _plot.Add.FillY(points.ConvertAll(p => (p.X, p.Low, p.High)));
        fill.FillColor = ColorOf(name).WithAlpha(0.15);
        fill.LineWidth = 0;
        fill.MarkerSize = 0;
        return this;
    }

    /// <summary>A dotted horizontal line at a value to compare with.</summary>
    /// <param name="name">Name in the legend; empty for none.</param>
    /// <param name="y">Ordinate.</param>
    public Chart Level(string name, double y)
    {
        if (!IsUsable(y, _logY))
            return this;
        var line = _plot.Add.HorizontalLine(At(y, _logY), 1.5f, Color.FromHex("#57606a"));
        _dashed.Dot(line.LineStyle);
        if (name.Length > 0)
            line.LegendText = name;
        line.LabelText = "";
        return this;
    }

    /// <summary>A dotted vertical line at a value to compare with.</summary>
    /// <param name="name">Name in the legend; empty for none.</param>
    /// <param name="x">Abscissa.</param>
    public Chart Mark(string name, double x)
    {
        if (!IsUsable(x, _logX))
            return this;
        var line = _plot.Add.VerticalLine(At(x, _logX), 1.5f, Color.FromHex("#57606a"));
        _dashed.Dot(line.LineStyle);
        if (name.Length > 0)
            line.LegendText = name;
        line.LabelText = "";
        return this;
    }

    /// <summary>A grid of values as colors, with the values written in; cells that are not finite stay empty.</summary>
    /// <param name="values">Rows from the bottom up, columns from the left.</param>
    /// <param name="columns">Labels of the columns.</param>
    /// <param name="rows">Labels of the rows, from the bottom up.</param>
    /// <param name="format">Numeric format of the values.</param>
    public Chart Heatmap(
        double[,] values, IReadOnlyList<string> columns, IReadOnlyList<string> rows, string format = "0.000")
    {
        var (height, width) = (values.GetLength(0), values.GetLength(1));
        if (!values.Cast<double>().Any(double.IsFinite))
            return this;
        var map = _plot.Add.Heatmap(values);
        map.FlipVertically = true;
        map.Colormap = new ScottPlot.Colormaps.Viridis();
        var finite = values.Cast<double>().Where(double.IsFinite).ToList();
        var (low, high) = finite.Count > 0 ? (finite.Min(), finite.Max()) : (0, 1);
        for (var row = 0; row < height; row++)
        {
            for (var column = 0; column < width; column++)
            {
                var value = values[row, column];
                if (!double.IsFinite(value))
                    continue;
                var text = _plot.Add.Text(value.ToString(format, CultureInfo.InvariantCulture), column, row);
                text.LabelAlignment = Alignment.MiddleCenter;
                text.LabelFontSize = 13;
                text.LabelFontName = PlotFonts.Family;
                text.LabelFontColor = (value - low) / Math.Max(high - low, 1e-12) > 0.6 ? Colors.Black : Colors.White;
            }
        }

        _plot.Axes.Bottom.TickGenerator = new NumericManual(
            [.. Enumerable.Range(0, width).Select(i => (double)i)], [.. columns]);
        _plot.Axes.Left.TickGenerator = new NumericManual(
            [.. Enumerable.Range(0, height).Select(i => (double)i)], [.. rows]);
        _plot.HideGrid();
        _plot.HideLegend();
        return this;
    }

    /// <summary>Puts named ticks on the horizontal axis, for categories.</summary>
    /// <param name="positions">Positions in the data's units.</param>
    /// <param name="labels">Labels, as many.</param>
    public Chart Ticks(IReadOnlyList<double> positions, IReadOnlyList<string> labels)
    {
        _plot.Axes.Bottom.TickGenerator = new NumericManual([.. positions.Select(x => At(x, _logX))], [.. labels]);
        return this;
    }

    /// <summary>Puts named ticks on the vertical axis, for categories.</summary>
    /// <param name="positions">Positions in the data's units.</param>
    /// <param name="labels">Labels, as many.</param>
    public Chart TicksLeft(IReadOnlyList<double> positions, IReadOnlyList<string> labels)
    {
        _plot.Axes.Left.TickGenerator = new NumericManual([.. positions.Select(y => At(y, _logY))], [.. labels]);
        return this;
    }

    /// <summary>Restricts the vertical axis, for curves that begin far above what matters.</summary>
    /// <param name="low">Lowest value shown.</param>
    /// <param name="high">Highest value shown.</param>
    public Chart LimitY(double low, double high)
    {
        _plot.Axes.SetLimitsY(At(low, _logY), At(high, _logY));
        return this;
    }

    /// <summary>Sets the ends of the horizontal axis, for example to leave room for the legend.</summary>
    /// <param name="low">Lowest value shown.</param>
    /// <param name="high">Highest value shown.</param>
    public Chart LimitX(double low, double high)
    {
        _plot.Axes.SetLimitsX(At(low, _logX), At(high, _logX));
        return this;
    }

    /// <summary>Puts the legend somewhere else than the upper right corner.</summary>
    /// <param name="lower">Whether at the bottom.</param>
    /// <param name="left">Whether on the left.</param>
    public Chart LegendAt(bool lower, bool left)
    {
        _plot.Legend.Alignment = lower
            ? (left ? Alignment.LowerLeft : Alignment.LowerRight)
            : (left ? Alignment.UpperLeft : Alignment.UpperRight);
        return this;
    }

    /// <summary>The figure as an SVG document.</summary>
    public string Svg() => _dashed.Svg(() => FigureStyle.Svg(_plot));

    /// <summary>Writes <c>PATH.png</c> and <c>PATH.svg</c>.</summary>
    /// <param name="pathWithoutExtension">Where.</param>
    /// <exception cref="InvalidInputException">A file cannot be written.</exception>
    public void Save(string pathWithoutExtension)
    {
        AtomicFile.WriteAllText(pathWithoutExtension + ".svg", Svg());
        AtomicFile.WriteAllBytes(pathWithoutExtension + ".png", FigureStyle.Png(_plot));
    }

    /// <inheritdoc/>
    public void Dispose() => _plot.Dispose();

    private static ITickGenerator Ticks(bool isLogarithmic)
        => isLogarithmic ? new LogTicks(Label) : new NumericAutomatic { LabelFormatter = Label };

    /// <summary>Large numbers as 1.5M, very large ones as 1e18, small ones as 2e-4, those between in full.</summary>
    private static string Label(double value)
    {
        var size = Math.Abs(value);
        return size is >= 1e15 or (> 0 and < 0.01) ? value.ToString("0.##e0", CultureInfo.InvariantCulture)
            : size >= 1000 ? (value < 0 ? "-" : "") + FigureStyle.Count(size)
            : value.ToString("0.####", CultureInfo.InvariantCulture);
    }

    private static bool IsUsable(double value, bool isLogarithmic)
        => double.IsFinite(value) && (!isLogarithmic || value > 0);

    private static double At(double value, bool isLogarithmic) => isLogarithmic ? Math.Log10(value) : value;

    private (double[] X, double[] Y) Usable(IReadOnlyList<double> xs, IReadOnlyList<double> ys)
    {
        if (xs.Count != ys.Count)
            throw new ArgumentException($"{xs.Count} abscissas and {ys.Count} ordinates.", nameof(ys));
        var points = xs.Zip(ys).Where(point => IsUsable(point.First, _logX) && IsUsable(point.Second, _logY)).ToList();
        return ([.. points.Select(point => At(point.First, _logX))], [.. points.Select(
            point => At(point.Second, _logY))]);
    }

    private Color ColorOf(string name)
    {
        if (_colors.TryGetValue(name, out var color))
            return color;
        return _colors[name] = FigureStyle.Palette[_colors.Count % FigureStyle.Palette.Count];
    }
}
