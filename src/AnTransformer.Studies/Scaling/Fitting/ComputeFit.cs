using AnTransformer.Studies.Scaling.Laws;
using AnTransformer.Studies.Scaling.Tables;

namespace AnTransformer.Studies.Scaling.Fitting;

/// <summary>Fits <see cref="ComputeLaw"/> to a frontier, with the Huber loss of log-losses as for L(N, D).</summary>
internal static class ComputeFit
{
    /// <summary>Points that determine the law with one to spare.</summary>
    public static int FewestPoints(bool zeroFloor) => zeroFloor ? 3 : 4;

    /// <summary>The fit from many starts; null where the frontier has too few points or no descent converges.</summary>
    public static (ComputeLaw Law, FitQuality Quality)? Fit(
        IReadOnlyList<ScalingPoint> frontier, bool zeroFloor, double delta)
    {
        if (frontier.Count < FewestPoints(zeroFloor))
            return null;
        double[] losses = [.. frontier.Select(point => point.Loss)];
        var objective = new PowerSumObjective(
            [[.. frontier.Select(point => point.Compute)]], losses, delta, hasFloor: !zeroFloor);
        var minima = Starts(losses, zeroFloor).Select(start => Descent.From(objective, start))
            .Where(minimum => minimum.Converged).ToList();
        if (minima.Count == 0)
            return null;
        var best = minima.MinBy(minimum => minimum.Value)!;
        var law = new ComputeLaw(
            zeroFloor ? 0 : PowerSumObjective.Floor(best.Point[2], losses.Min()),
            Math.Exp(best.Point[0] + (best.Point[1] * objective.Means[0])), best.Point[1]);
        return (law, FitQuality.Of(
            objective.Residuals(best.Point), objective.HuberSum(best.Point), minima.Count,
            minima.Count(best.IsReachedBy)));
    }

    /// <summary>Floors from far below the lowest loss to just below it, each with slow to fast decay.</summary>
    private static IEnumerable<double[]> Starts(double[] losses, bool zeroFloor)
    {
        double[] exponents = [0.02, 0.05, 0.1, 0.2, 0.4, 0.8], shares = zeroFloor ? [0] : [0.02, 0.3, 0.6, 0.8, 0.95];
        var typical = losses.Average();
        return from share in shares
               from exponent in exponents
               let floor = share * losses.Min()
               select zeroFloor
                   ? new[] { Math.Log(typical), exponent }
                   : [Math.Log(typical - floor), exponent, Math.Log(floor)];
    }
}
