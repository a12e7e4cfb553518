namespace AnTransformer.Studies.Statistics;

/// <summary>
/// How far a setting such as the learning rate or the batch size may lie from its best value with the loss staying
/// within a share of the lowest, interpolated linearly in the setting's base-2 logarithm.
/// </summary>
/// <param name="Best">The setting with the lowest loss.</param>
/// <param name="Low">Lowest setting around it within the tolerance.</param>
/// <param name="High">Highest setting around it within the tolerance.</param>
/// <param name="LowIsBound">
/// Whether the true lowest may lie below, since the grid begins there or the next setting diverged: between a run that
/// converged and one that diverged nothing is known.
/// </param>
/// <param name="HighIsBound">Whether the true highest may lie above, for the same reasons.</param>
public sealed record Tolerance(double Best, double Low, double High, bool LowIsBound, bool HighIsBound)
{
    /// <summary>Width in octaves, that is, factors of two.</summary>
    public double Octaves => Math.Log2(High / Low);

    /// <summary>Whether the width is a lower bound.</summary>
    public bool IsBound => LowIsBound || HighIsBound;

    /// <summary>Computes it; null when no loss is finite.</summary>
    /// <param name="settings">Positive settings, ascending.</param>
    /// <param name="losses">Losses, as many; infinite or not a number for diverged.</param>
    /// <param name="share">Tolerated share, such as 0.01.</param>
    public static Tolerance? Of(IReadOnlyList<double> settings, IReadOnlyList<double> losses, double share)
        => IndexOfBest(losses) is { } best ? Around(best, settings, losses, share) : null;

    /// <summary>
    /// The tolerance of each seed around the setting that is best on average. Around each seed's own best, the lowest
    /// of several losses that all vary with the seed, tolerances would be too narrow.
    /// </summary>
    /// <param name="settings">Positive settings, ascending.</param>
    /// <param name="losses">For each setting the loss of each seed, all in one order; infinite for diverged.</param>
    /// <param name="share">Tolerated share.</param>
    /// <returns>A tolerance for each seed; none when no setting converged with all seeds.</returns>
    public static IReadOnlyList<Tolerance> BySeed(
        IReadOnlyList<double> settings, IReadOnlyList<IReadOnlyList<double>> losses, double share)
        => IndexOfBest([.. losses.Select(ofSeeds => ofSeeds.DefaultIfEmpty(double.NaN).Average())]) is { } best
            ? [.. Enumerable.Range(0, losses[0].Count).Select(
                seed => Around(best, settings, [.. losses.Select(ofSeeds => ofSeeds[seed])], share))]
            : [];

    private static int? IndexOfBest(IReadOnlyList<double> losses)
    {
        var finite = Enumerable.Range(0, losses.Count).Where(i => double.IsFinite(losses[i])).ToList();
        return finite.Count == 0 ? null : finite.MinBy(i => losses[i]);
    }

    private static Tolerance Around(
        int best, IReadOnlyList<double> settings, IReadOnlyList<double> losses, double share)
    {
        var limit = losses[best] * (1 + share);
        var (low, lowIsBound) = Walk(settings, losses, limit, best, -1);
        var (high, highIsBound) = Walk(settings, losses, limit, best, 1);
        return new Tolerance(settings[best], low, high, lowIsBound, highIsBound);
    }

    private static (double Setting, bool IsBound) Walk(
        IReadOnlyList<double> settings, IReadOnlyList<double> losses, double limit, int from, int step)
    {
        var i = from;
        while (i + step >= 0 && i + step < losses.Count && losses[i + step] <= limit)
            i += step;
        var next = i + step;
        return next >= 0 && next < losses.Count && double.IsFinite(losses[next])
            ? (LossCurve.Between(settings[i], settings[next], (limit - losses[i]) / (losses[next] - losses[i])), false)
            : (settings[i], true);
    }
}
