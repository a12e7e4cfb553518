using AnTransformer.Studies.Statistics;

namespace AnTransformer.Studies.Reporting;

/// <summary>Numbers as tables and sentences of studies show them.</summary>
internal static class Cells
{
    public const string Unknown = "-";

    public static string Loss(double? loss) => loss is { } value && double.IsFinite(value) ? $"{value:f4}" : Unknown;

    public static string Factor(double? factor)
        => factor is { } value && double.IsFinite(value) ? $"{value:f2}×" : Unknown;

    public static string Factor(Estimate? estimate)
        => estimate is null || !double.IsFinite(estimate.Value) ? Unknown
            : Mark(estimate.Bounds) + Factor(estimate.Value)
                + (estimate.Interval is { } interval ? $" [{interval.Low:f2}, {interval.High:f2}]" : "")
                + (estimate.Bounds == Bounds.Both ? " (bounds)" : estimate.IsExtrapolated ? " (extrapolated)" : "");

    /// <summary>What stands before a bound.</summary>
    public static string Mark(Bounds bounds)
        => bounds switch { Bounds.AtLeast => "≥ ", Bounds.AtMost => "≤ ", _ => "" };

    public static string Difference(double value, Interval? interval)
        => $"{value:+0.0000;-0.0000;0.0000}" + (interval is null ? "" : " " + Interval(interval));

    public static string Interval(Interval? interval)
        => interval is null
            ? Unknown
            : $"[{interval.Low:+0.0000;-0.0000;0.0000}, {interval.High:+0.0000;-0.0000;0.0000}]";

    public static string Difference(PairedDifference? difference)
        => difference is null ? Unknown : Difference(difference.Value, difference.Interval);

    public static string Rate(double? rate) => rate is { } value ? $"{value:0.######e0}" : Unknown;

    public static string Count(double? count) => count switch
    {
        null => Unknown,
        >= 1e12 and var value => $"{value / 1e12:0.##}T",
        >= 1e9 and var value => $"{value / 1e9:0.##}G",
        >= 1e6 and var value => $"{value / 1e6:0.##}M",
        >= 1e4 and var value => $"{value / 1e3:0.#}k",
        var value => $"{value:0}",
    };
}
