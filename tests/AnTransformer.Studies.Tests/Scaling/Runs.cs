using AnTransformer.Studies.Scaling.Fitting;
using AnTransformer.Studies.Scaling.Laws;
using AnTransformer.Studies.Scaling.Tables;

namespace AnTransformer.Studies.Tests.Scaling;

/// <summary>Tables of runs with known laws.</summary>
internal static class Runs
{
    /// <summary>The law of Hoffmann et al. (2022).</summary>
    public static ParametricLaw Hoffmann { get; } = new(1.69, 406.4, 410.7, 0.34, 0.28);

    /// <summary>The law that Besiroglu et al. (2024) fit to the runs of Hoffmann et al.</summary>
    public static ParametricLaw Besiroglu { get; } = new(1.8172, 482.01, 2085.43, 0.3478, 0.3658);

    /// <summary>Profiles of equal compute around the optimum, as Hoffmann et al. trained them, with relative noise.</summary>
    public static List<ScalingPoint> IsoFlops(ParametricLaw law, double noise = 0, int seed = 1, int sizes = 9)
    {
        var random = new Random(seed);
        var points = new List<ScalingPoint>();
        foreach (var compute in new[] { 6e18, 1e19, 3e19, 6e19, 1e20, 3e20, 6e20, 1e21, 3e21 })
        {
            for (var i = 0; i < sizes; i++)
            {
                var parameters = law.Allocate(compute).Parameters * Math.Pow(10, (1.4 * i / (sizes - 1)) - 0.7);
                var tokens = compute / (6 * parameters);
                points.Add(ScalingPoint.Of(parameters, tokens, law.Loss(parameters, tokens) * Math.Exp(noise * Normal(random))));
            }
        }

        return points;
    }

    public static ScalingFit Fit(IReadOnlyList<ScalingPoint> points, ScalingFitOptions? options = null)
        => ScalingFit.Run(new ScalingTable("runs.csv", points, []), options ?? new() { Resamples = 0 }, TestContext.Current.CancellationToken);

    public static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
