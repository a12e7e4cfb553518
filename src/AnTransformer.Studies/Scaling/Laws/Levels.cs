using AnTransformer.Studies.Scaling.Tables;

namespace AnTransformer.Studies.Scaling.Laws;

/// <summary>
/// Values that lie close together, as a budget's runs or a size's do when they are not exactly equal.
/// </summary>
internal static class Levels
{
    /// <summary>Runs whose compute is within this factor count as having one budget.</summary>
    public const double ComputeFactor = 1.4;

    /// <summary>
    /// Splits points by a value: a level reaches from its smallest value to that times the factor. Levels ascend.
    /// </summary>
    public static List<List<ScalingPoint>> Of(
        IEnumerable<ScalingPoint> points, Func<ScalingPoint, double> value, double factor)
    {
        var levels = new List<List<ScalingPoint>>();
        foreach (var point in points.OrderBy(value))
        {
            if (levels.Count == 0 || value(point) > factor * value(levels[^1][0]))
                levels.Add([]);
            levels[^1].Add(point);
        }

        return levels;
    }

    /// <summary>How many values differ by more than a percent.</summary>
    public static int CountDistinct(IEnumerable<ScalingPoint> points, Func<ScalingPoint, double> value)
        => Of(points, value, 1.01).Count;

    /// <summary>At most so many of them, evenly spaced, ends included.</summary>
    public static List<List<ScalingPoint>> Thin(List<List<ScalingPoint>> levels, int most) => levels.Count <= most
        ? levels
        : [.. Enumerable.Range(0, most).Select(i => levels[(int)Math.Round(i * (levels.Count - 1.0) / (most - 1))])];
}
