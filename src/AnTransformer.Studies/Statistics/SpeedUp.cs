namespace AnTransformer.Studies.Statistics;

/// <summary>
/// How many times fewer tokens a side needs than the reference to reach the same loss, by the runs of one seed.
/// </summary>
public static class SpeedUp
{
    /// <summary>
    /// The reference's budget over the tokens with which the side reaches the reference's final loss. When the side
    /// never does, the tokens with which the reference reaches the side's final loss, over the budget: less than 1. A
    /// loss that is reached at the first evaluation already may have been reached before, so that the value is a bound.
    /// </summary>
    /// <param name="reference">The reference's curve.</param>
    /// <param name="side">The side's curve with the same seed.</param>
    public static SeedValue InRun(LossCurve reference, LossCurve side)
    {
        if (side.TokensToReach(reference.Final) is { } tokens)
            return new SeedValue(reference.Budget / tokens, tokens <= side.Tokens[0] ? Bounds.AtLeast : Bounds.None);
        // The reference ends lower than the side does, so it gets there.
        return reference.TokensToReach(side.Final) is { } referenceTokens
            ? new SeedValue(
                referenceTokens / side.Budget, referenceTokens <= reference.Tokens[0] ? Bounds.AtMost : Bounds.None)
            : new SeedValue(double.NaN);
    }

    /// <summary>
    /// The budget at which the reference ends with a loss, over the budget at which the side's annealed frontier has
    /// that loss.
    /// </summary>
    /// <param name="budget">A budget of the reference in tokens.</param>
    /// <param name="target">The reference's final loss at it.</param>
    /// <param name="side">The side's frontier with the same seed.</param>
    public static SeedValue OnFrontier(double budget, double target, AnnealedFrontier side)
        => side.TokensAt(target).Divide(budget);
}
