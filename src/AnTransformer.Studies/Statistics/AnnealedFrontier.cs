namespace AnTransformer.Studies.Statistics;

/// <summary>
/// The loss that a seed's runs of different token budgets end with, each with its own whole schedule: linear between
/// budgets in the logarithm of tokens.
/// </summary>
/// <param name="Budgets">Token budgets, ascending, at least two.</param>
/// <param name="Losses">Final losses in nats per token, as many.</param>
public sealed record AnnealedFrontier(IReadOnlyList<double> Budgets, IReadOnlyList<double> Losses)
{
    /// <summary>
    /// Tokens at which the frontier first has a loss. Outside of the budgets the nearest segment is extended, at most
    /// by its own length; what lies further is bounded by that, and by the nearest budget when the segment does not
    /// fall.
    /// </summary>
    /// <param name="target">The loss.</param>
    public SeedValue TokensAt(double target)
    {
        var after = Enumerable.Range(0, Losses.Count).FirstOrDefault(i => Losses[i] <= target, Losses.Count);
        if (after > 0 && after < Losses.Count)
            return new SeedValue(At(after - 1, Share(after - 1, target)));
        if (after == 0 && Losses[0] == target)
            return new SeedValue(Budgets[0]);

        var (segment, beyond) = after == 0 ? (0, Bounds.AtMost) : (Losses.Count - 2, Bounds.AtLeast);
        if (!(Losses[segment + 1] < Losses[segment]))
            return new SeedValue(after == 0 ? Budgets[0] : Budgets[^1], beyond);
        var share = Share(segment, target);
        var clamped = Math.Clamp(share, -1, 2);
        return share == clamped
            ? new SeedValue(At(segment, share), IsExtrapolated: true)
            : new SeedValue(At(segment, clamped), beyond, IsExtrapolated: true);
    }

    private double Share(int segment, double target)
        => (Losses[segment] - target) / (Losses[segment] - Losses[segment + 1]);

    private double At(int segment, double share) => LossCurve.Between(Budgets[segment], Budgets[segment + 1], share);
}
