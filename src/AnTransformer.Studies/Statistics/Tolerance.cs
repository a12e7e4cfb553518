namespace AnTransformer.Studies.Statistics;

/// <summary>
/// How far a setting such as the learning rate or the batch size may lie from its best value with the loss staying within a share of the lowest,
/// interpolated linearly in the setting's base-2 logarithm.
/// </summary>
/// <param name="Best">The setting with the lowest loss.</param>
/// <param name="Low">Lowest setting around it within the tolerance.</param>
/// <param name="High">Highest setting around it within the tolerance.</param>
/// <param name="LowIsEdge">Whether the lowest is where the grid begins, so that the true one may lie below.</param>
/// <param name="HighIsEdge">Whether the highest is where the grid ends, so that the true one may lie above.</param>
public sealed record Tolerance(double Best, double Low, double High, bool LowIsEdge, bool HighIsEdge)
{
    /// <summary>Width in octaves, that is, factors of two.</summary>
    public double Octaves => Math.Log2(High / Low);

    /// <summary>Whether the width is a lower bound, since the grid ended first.</summary>
    public bool IsBound => LowIsEdge || HighIsEdge;

    /// <summary>Computes it; null when no loss is finite.</summary>
    /// <param name="settings">Positive settings, ascending.</param>
    /// <param name="losses">Losses, as many; infinite or not a number for diverged.</param>
    /// <param name="share">Tolerated share, such as 0.01.</param>
    public static Tolerance? Of(IReadOnlyList<double> settings, IReadOnlyList<double> losses, double share)
    {
        var finite = Enumerable.Range(0, losses.Count).Where(i => double.IsFinite(losses[i])).ToList();
        if (finite.Count == 0)
            return null;
        var best = finite.MinBy(i => losses[i]);
        var limit = losses[best] * (1 + share);
        var (low, lowIsEdge) = Walk(settings, losses, limit, best, -1);
        var (high, highIsEdge) = Walk(settings, losses, limit, best, 1);
        return new Tolerance(settings[best], low, high, lowIsEdge, highIsEdge);
    }

    private static (double Setting, bool IsEdge) Walk(IReadOnlyList<double> settings, IReadOnlyList<double> losses, double limit, int from, int step)
    {
        var i = from;
        while (i + step >= 0 && i + step < losses.Count && losses[i + step] <= limit)
            i += step;
        var next = i + step;
        if (next < 0 || next >= losses.Count)
            return (settings[i], true);
        // Between a run that converged and one that diverged nothing is known: the last good setting is the end.
        return double.IsFinite(losses[next])
            ? (LossCurve.Between(settings[i], settings[next], (limit - losses[i]) / (losses[next] - losses[i])), false)
            : (settings[i], false);
    }
}
