namespace AnTransformer.Studies.Statistics;

/// <summary>Validation loss against tokens within a run, or the mean of several runs.</summary>
/// <param name="Tokens">Tokens trained on, ascending and positive.</param>
/// <param name="Losses">Validation losses in nats per token, as many.</param>
public sealed record LossCurve(IReadOnlyList<double> Tokens, IReadOnlyList<double> Losses)
{
    /// <summary>The loss at the end.</summary>
    public double Final => Losses[^1];

    /// <summary>The tokens at the end.</summary>
    public double Budget => Tokens[^1];

    /// <summary>The mean of curves at the numbers of tokens that all of them have.</summary>
    /// <param name="curves">At least one curve.</param>
    public static LossCurve Mean(IReadOnlyList<LossCurve> curves)
    {
        var common = curves.Select(curve => curve.Tokens).Aggregate((a, b) => a.Intersect(b).ToList());
        return new LossCurve(common, common.Select(at => curves.Average(curve => curve.At(at))).ToList());
    }

    /// <summary>
    /// Tokens at which the running minimum first reaches a loss, linear in the logarithm of tokens between evaluations;
    /// the first evaluation's when the loss is reached there already; null when it never is.
    /// </summary>
    /// <param name="target">The loss.</param>
    public double? TokensToReach(double target)
    {
        var lowest = double.PositiveInfinity;
        for (var i = 0; i < Losses.Count; i++)
        {
            if (Losses[i] <= target)
                return i == 0 ? Tokens[0] : Between(Tokens[i - 1], Tokens[i], (lowest - target) / (lowest - Losses[i]));
            lowest = Math.Min(lowest, Losses[i]);
        }

        return null;
    }

    /// <summary>The point between two numbers of tokens at a share of their logarithms' distance.</summary>
    internal static double Between(double low, double high, double share) => low * Math.Pow(high / low, share);

    private double At(double tokens) => Losses[Tokens.ToList().IndexOf(tokens)];
}
