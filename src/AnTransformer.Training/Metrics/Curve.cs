using System.Globalization;
using ScottPlot;

namespace AnTransformer.Training.Metrics;

/// <summary>The losses of one run, ready to be drawn.</summary>
internal sealed class Curve
{
    private const int ShortestSmoothedRun = 20;
    private const double WindowShareOfRun = 0.015;
    private const double WindowShareOfProgress = 0.1;
    private const byte FaintAlpha = 70;

    private readonly string _name;
    private readonly Color _trainingColor;
    private readonly Color _validationColor;
    private readonly (double X, double Loss)[] _training;
    private readonly (double X, double Loss)[] _validation;

    public Curve(
        string name, IReadOnlyList<MetricsRecord> records, LossPlotAxis axis, Color trainingColor,
        Color validationColor)
    {
        (_name, _trainingColor, _validationColor) = (name, trainingColor, validationColor);
        _training = Points(records, axis, record => record.Loss);
        _validation = Points(records, axis, record => record.ValLoss);
    }

    public IEnumerable<double> Losses => TrainingLosses.Concat(_validation.Select(point => point.Loss));

    public IEnumerable<double> TrainingLosses => _training.Select(point => point.Loss);

    /// <summary>Where the run stands, which must be in view.</summary>
    public IEnumerable<double> LastLosses
        => new[] { _training, _validation }.Where(points => points.Length > 0).Select(points => points[^1].Loss);

    public double End => _training.Concat(_validation).Select(point => point.X).DefaultIfEmpty(0).Max();

    public void AddTo(Plot plot)
    {
        if (_training.Length > 0)
            AddTraining(plot);
        if (_validation.Length > 0)
            AddValidation(plot);
    }

    private static (double X, double Loss)[] Points(
        IReadOnlyList<MetricsRecord> records, LossPlotAxis axis, Func<MetricsRecord, double?> loss)
        => records
            .Where(record => loss(record) is { } value && double.IsFinite(value))
            .Select(
                record => ((double)(axis == LossPlotAxis.Tokens ? record.Tokens : record.Step), loss(record)!.Value))
            .ToArray();

    // The window grows with progress: losses fall fast at first, where a wide one would lift the curve off its points.
    private static double[] Smooth((double X, double Loss)[] points)
    {
        var smoothed = new double[points.Length];
        for (var i = 0; i < points.Length; i++)
        {
            var half = (int)Math.Min(Math.Ceiling(WindowShareOfRun * points.Length), WindowShareOfProgress * i);
            var first = Math.Max(0, i - half);
            var end = Math.Min(points.Length, i + half + 1);
            for (var j = first; j < end; j++)
                smoothed[i] += points[j].Loss / (end - first);
        }

        return smoothed;
    }

    private void AddTraining(Plot plot)
    {
        var x = Array.ConvertAll(_training, point => point.X);
        var losses = TrainingLosses.ToArray();
        var isSmoothed = _training.Length >= ShortestSmoothedRun;
        if (isSmoothed)
        {
            var faint = plot.Add.ScatterLine(x, losses, _trainingColor.WithAlpha(FaintAlpha));
            faint.LineWidth = 1;
        }

        var line = plot.Add.ScatterLine(x, isSmoothed ? Smooth(_training) : losses, _trainingColor);
        line.LineWidth = 2;
        line.LegendText = _name.Length > 0
            ? _name + FinalValidation()
            : isSmoothed
            ? "training (smoothed)"
            : "training";
    }

    // Markers without a line: between evaluations nothing is known, and a chord would run above the curve.
    private void AddValidation(Plot plot)
    {
        var x = Array.ConvertAll(_validation, point => point.X);
        var points = plot.Add.ScatterPoints(x, Array.ConvertAll(_validation, point => point.Loss), _validationColor);
        points.MarkerStyle = new MarkerStyle(MarkerShape.FilledCircle, 8, _validationColor)
        {
            OutlineColor = Colors.White,
            OutlineWidth = 1.5f,
        };
        if (_name.Length == 0 || _training.Length == 0)
            points.LegendText = (_name.Length == 0 ? "validation" : _name) + FinalValidation();
    }

    private string FinalValidation()
    {
        if (_validation.Length == 0)
            return "";
        var what = _name.Length > 0 ? "validation " : "";
        return string.Create(CultureInfo.InvariantCulture, $" ({what}{_validation[^1].Loss:f3} at the end)");
    }
}
