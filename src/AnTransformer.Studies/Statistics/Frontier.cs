namespace AnTransformer.Studies.Statistics;

/// <summary>
/// The loss that runs of different token budgets end with, each with its own whole schedule: linear between budgets in the logarithm of tokens.
/// </summary>
/// <param name="Budgets">Token budgets, ascending, at least two.</param>
/// <param name="Losses">Final losses in nats per token, as many.</param>
public sealed record Frontier(IReadOnlyList<double> Budgets, IReadOnlyList<double> Losses)
{
    /// <summary>
    /// Tokens at which the frontier first has a loss. Outside of the budgets the nearest segment is extended, at most by its own length; what
    /// lies further is that bound. NaN when that segment does not fall.
    /// </summary>
    /// <param name="target">The loss.</param>
    public (double Tokens, FrontierReach Reach) TokensAt(double target)
    {
        var after = Enumerable.Range(0, Losses.Count).FirstOrDefault(i => Losses[i] <= target, Losses.Count);
        if (after > 0 && after < Losses.Count)
            return (At(after - 1, Share(after - 1, target)), FrontierReach.Inside);
        if (after == 0 && Losses[0] == target)
            return (Budgets[0], FrontierReach.Inside);

        var segment = after == 0 ? 0 : Losses.Count - 2;
        if (!(Losses[segment + 1] < Losses[segment]))
            return (double.NaN, FrontierReach.Extrapolated);
        var share = Share(segment, target);
        var clamped = Math.Clamp(share, -1, 2);
        return (At(segment, clamped), share == clamped ? FrontierReach.Extrapolated : FrontierReach.Bound);
    }

    private double Share(int segment, double target) => (Losses[segment] - target) / (Losses[segment] - Losses[segment + 1]);

    private double At(int segment, double share) => LossCurve.Between(Budgets[segment], Budgets[segment + 1], share);
}

/// <summary>How a frontier's tokens were found.</summary>
public enum FrontierReach
{
    /// <summary>Between two budgets.</summary>
    Inside,

    /// <summary>Beyond the budgets, by the nearest segment's slope.</summary>
    Extrapolated,

    /// <summary>Further than the nearest segment may be extended: the value is a bound.</summary>
    Bound,
}
