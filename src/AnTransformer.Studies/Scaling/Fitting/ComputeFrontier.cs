using AnTransformer.Studies.Scaling.Laws;
using AnTransformer.Studies.Scaling.Tables;

namespace AnTransformer.Studies.Scaling.Fitting;

/// <summary>
/// The compute-efficient frontier: of each budget the run of lowest loss, if no cheaper budget reached that loss.
/// Budgets are runs of nearly equal compute, because a run somewhat cheaper than the best of its budget is no better
/// use of compute however bad its loss.
/// </summary>
internal static class ComputeFrontier
{
    public static List<ScalingPoint> Of(IEnumerable<ScalingPoint> points)
    {
        var frontier = new List<ScalingPoint>();
        foreach (var best in Levels.Of(points, point => point.Compute, Levels.ComputeFactor).Select(
            level => level.MinBy(point => point.Loss)!))
        {
            if (frontier.Count == 0 || best.Loss < frontier[^1].Loss)
                frontier.Add(best);
        }

        return frontier;
    }
}
