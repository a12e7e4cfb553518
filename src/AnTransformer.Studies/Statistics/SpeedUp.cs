namespace AnTransformer.Studies.Statistics;

/// <summary>How many times fewer tokens a side needs than the reference to reach the same loss.</summary>
public static class SpeedUp
{
    /// <summary>
    /// The reference's budget over the tokens with which the side reaches the reference's final loss. When the side never does, the tokens with
    /// which the reference reaches the side's final loss, over the budget: less than 1.
    /// </summary>
    /// <param name="reference">The reference's mean curve.</param>
    /// <param name="side">The side's mean curve.</param>
    public static double OfCurves(LossCurve reference, LossCurve side)
        => side.TokensToReach(reference.Final) is { } tokens ? reference.Budget / tokens
            : reference.TokensToReach(side.Final) is { } referenceTokens ? referenceTokens / side.Budget
            : double.NaN;

    /// <summary>
    /// Whether the loss looked for is reached at the first evaluation already, so that the speed-up is a bound: evaluations were too rare.
    /// </summary>
    /// <param name="reference">The reference's mean curve.</param>
    /// <param name="side">The side's mean curve.</param>
    public static bool IsBound(LossCurve reference, LossCurve side)
        => side.TokensToReach(reference.Final) is { } tokens ? tokens <= side.Tokens[0]
            : reference.TokensToReach(side.Final) is { } referenceTokens && referenceTokens <= reference.Tokens[0];

    /// <summary>
    /// The budget at which the reference ends with a loss, over the budget at which the side's annealed frontier has that loss.
    /// </summary>
    /// <param name="budget">A budget of the reference in tokens.</param>
    /// <param name="target">The reference's final loss at it.</param>
    /// <param name="side">The side's frontier.</param>
    public static FrontierSpeedUp OfFrontier(double budget, double target, Frontier side)
    {
        var (tokens, reach) = side.TokensAt(target);
        return new FrontierSpeedUp(budget / tokens, reach);
    }
}

/// <summary>A speed-up on the annealed frontier.</summary>
/// <param name="Value">The speed-up; NaN when it cannot be told.</param>
/// <param name="Reach">Whether the budgets that were run enclose it.</param>
public sealed record FrontierSpeedUp(double Value, FrontierReach Reach);
