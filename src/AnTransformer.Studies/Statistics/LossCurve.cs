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
        var tokens = curves[0].Tokens;
        if (curves.All(curve => ReferenceEquals(curve.Tokens, tokens) || curve.Tokens.SequenceEqual(tokens)))
            return new LossCurve(tokens, MeanLosses(curves));
        var common = curves.Select(curve => curve.Tokens).Aggregate((a, b) => a.Intersect(b).ToList());
        return new LossCurve(common, common.Select(at => curves.Average(curve => curve.At(at))).ToList());
    }

    /// <summary>
    /// Tokens at which the running minimum first reaches a loss, linear in the logarithm of tokens between evaluations; the first evaluation's
    /// when the loss is reached there already; null when it never is.
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

    /// <summary>Written as loops, since a bootstrap does this ten thousand times.</summary>
    private static double[] MeanLosses(IReadOnlyList<LossCurve> curves)
    {
        var mean = new double[curves[0].Losses.Count];
        foreach (var curve in curves)
        {
            var losses = curve.Losses as double[] ?? [.. curve.Losses];
            for (var i = 0; i < mean.Length; i++)
                mean[i] += losses[i];
        }

        for (var i = 0; i < mean.Length; i++)
            mean[i] /= curves.Count;
        return mean;
    }

    private double At(double tokens) => Losses[Tokens.ToList().IndexOf(tokens)];
}
