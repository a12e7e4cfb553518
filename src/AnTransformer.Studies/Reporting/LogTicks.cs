using ScottPlot;

namespace AnTransformer.Studies.Reporting;

/// <summary>
/// Ticks of a logarithmic axis at round values: powers of ten on a long one, their 1, 2 and 5 multiples on a short one,
/// evenly spaced round values within less than a decade.
/// </summary>
/// <param name="label">Text of a value.</param>
internal sealed class LogTicks(Func<double, string> label) : ITickGenerator
{
    private const double PixelsPerLabel = 60;

    public Tick[] Ticks { get; set; } = [];

    public int MaxTickCount { get; set; } = 1000;

    /// <param name="range">Logarithms to base ten.</param>
    /// <param name="edge">Side of the figure.</param>
    /// <param name="size">Length of the axis.</param>
    /// <param name="paint">Unused.</param>
    /// <param name="labelStyle">Unused.</param>
    public void Regenerate(CoordinateRange range, Edge edge, PixelLength size, Paint paint, LabelStyle labelStyle)
    {
        var (low, high) = (Math.Min(range.Value1, range.Value2), Math.Max(range.Value1, range.Value2));
        var most = Math.Clamp((int)(size.Length / PixelsPerLabel), 2, 12);
        var major = Major(low, high, most).Where(value => Math.Log10(value) >= low && Math.Log10(value) <= high)
            .Distinct().ToList();
        var minor = high - low > 12 ? [] : Multiples(low, high, [2, 3, 4, 5, 6, 7, 8, 9], 1).Except(major);
        Ticks =
        [
            .. major.Select(value => new Tick(Math.Log10(value), label(value), isMajor: true)),
            .. minor.Where(value => Math.Log10(value) >= low && Math.Log10(value) <= high)
            .Select(value => new Tick(Math.Log10(value), "", isMajor: false)),
        ];
    }

    private static IEnumerable<double> Major(double low, double high, int most)
    {
        var decades = high - low;
        if (decades >= 3)
            return Multiples(low, high, [1], Math.Max(1, (int)Math.Ceiling(decades / most)));
        if (decades >= 1.2)
            return Multiples(low, high, [1, 2, 5], 1);
        var (from, to) = (Math.Pow(10, low), Math.Pow(10, high));
        var rough = (to - from) / most;
        var unit = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        var step = unit * new[] { 1.0, 2, 5, 10 }.First(factor => factor * unit >= rough);
        // Rounding to the step's own digits: 0.1 + 0.2 should read 0.3.
        return Enumerable.Range((int)Math.Ceiling(from / step), most + 1)
            .Select(i => double.Parse((i * step).ToString("g12")));
    }

    private static IEnumerable<double> Multiples(double low, double high, double[] factors, int everyDecade)
        => from decade in Enumerable.Range((int)Math.Floor(low), (int)Math.Ceiling(high - low) + 2)
           where decade % everyDecade == 0
           from factor in factors
           select double.Parse($"{factor}e{decade}");
}
