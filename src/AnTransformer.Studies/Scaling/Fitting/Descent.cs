using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.Optimization;

namespace AnTransformer.Studies.Scaling.Fitting;

/// <summary>Where a descent ended.</summary>
/// <param name="Point">The best point it saw.</param>
/// <param name="Value">The objective there.</param>
/// <param name="Converged">
/// Whether the gradient vanishes there or a fresh start from there finds nothing better.
/// </param>
internal sealed record Minimum(double[] Point, double Value, bool Converged)
{
    // Noise-free data are fitted to rounding, below which values say nothing.
    private const double Rounding = 1e-12;

    /// <summary>Whether another descent ended as low.</summary>
    public bool IsReachedBy(Minimum other) => other.Value <= (Value * (1 + 1e-6)) + Rounding;
}

/// <summary>
/// BFGS that keeps the best point it has seen: MathNet's line search throws near a minimum, when rounding hides further
/// descent.
/// </summary>
internal static class Descent
{
    private const double GradientTolerance = 1e-10;
    private const double ProgressTolerance = 1e-10;
    private const int Restarts = 8;

    public static Minimum From(PowerSumObjective objective, double[] start)
    {
        var best = start;
        var bestValue = objective.Evaluate(start, []);
        if (!double.IsFinite(bestValue))
            return new Minimum(start, double.PositiveInfinity, Converged: false);
        var function = ObjectiveFunction.Gradient(x =>
        {
            var (point, gradient) = (x.AsArray() ?? x.ToArray(), new double[x.Count]);
            var value = objective.Evaluate(point, gradient);
            if (value < bestValue)
                (best, bestValue) = ([.. point], value);
            return (value, Vector<double>.Build.Dense(gradient));
        });
        for (var restart = 0; restart < Restarts; restart++)
        {
            // A restart forgets the curvature that the line search failed with.
            var before = bestValue;
            try
            {
                new BfgsMinimizer(
                    GradientTolerance, parameterTolerance: 1e-14, functionProgressTolerance: 1e-16,
                    maximumIterations: 500)
                    .FindMinimum(function, Vector<double>.Build.Dense([.. best]));
            }
            catch (Exception e) when (e is OptimizationException or ArithmeticException or ArgumentException)
            {
                // The best point stands.
            }

            var gradient = new double[best.Length];
            objective.Evaluate(best, gradient);
            if (gradient.Max(Math.Abs) < GradientTolerance || before - bestValue <= ProgressTolerance * bestValue)
                return new Minimum(best, bestValue, Converged: true);
        }

        // In a valley of exact fits progress never ends, but residuals are a millionth by then.
        return new Minimum(best, bestValue, Converged: bestValue < 1e-9);
    }
}
