using AnTransformer.Studies.Scaling.Fitting;
using AnTransformer.Studies.Scaling.Laws;
using AnTransformer.Studies.Scaling.Tables;
using CsCheck;

namespace AnTransformer.Studies.Tests.Scaling;

public sealed class ParametricFitTests
{
    [Theory]
    [InlineData(1.69, 406.4, 410.7, 0.34, 0.28)]        // Hoffmann et al. 2022
    [InlineData(1.8172, 482.01, 2085.43, 0.3478, 0.3658)]   // Besiroglu et al. 2024
    [InlineData(0.6, 5, 900, 0.12, 0.45)]
    [InlineData(3.5, 1e4, 50, 0.7, 0.2)]
    public void The_law_behind_exact_losses_is_recovered(double e, double a, double b, double alpha, double beta)
    {
        var truth = new ParametricLaw(e, a, b, alpha, beta);

        var law = Fit(Runs.IsoFlops(truth)).Fit.Law;

        foreach (var quantity in Quantities.Parametric)
            Assert.Equal(1, quantity.Of(law) / quantity.Of(truth), 1e-6);
    }

    [Fact]
    public void Any_law_behind_exact_losses_is_recovered()
        // Terms between a tenth of and thrice the irreducible loss at the data's centre, where all of them show.
        => Gen.Select(Gen.Double[0.4, 4], Gen.Double[0.1, 3], Gen.Double[0.1, 3], Gen.Double[0.1, 0.8], Gen.Double[0.1, 0.8]).Sample(
            (e, atN, atD, alpha, beta) =>
            {
                var truth = new ParametricLaw(e, e * atN * Math.Pow(3e7, alpha), e * atD * Math.Pow(1e9, beta), alpha, beta);
                var points = from n in new[] { 1e6, 1e7, 1e8, 1e9 } from d in new[] { 1e8, 5e8, 2e9, 1e10 } select ScalingPoint.Of(n, d, truth.Loss(n, d));
                var fitting = new ParametricFit([.. points], 1e-3);

                var law = fitting.Law(fitting.FromManyStarts().Best.Point);

                foreach (var quantity in Quantities.Parametric)
                    Assert.Equal(1, quantity.Of(law) / quantity.Of(truth), 1e-3);
            },
            iter: 40);

    [Fact]
    public void The_law_of_small_models_is_recovered_from_a_grid()
    {
        var truth = new ParametricLaw(1.2, 60, 300, 0.3, 0.4);
        var points = from n in new[] { 1e5, 3e5, 1e6, 3e6 } from d in new[] { 1e6, 4e6, 1.6e7 } select ScalingPoint.Of(n, d, truth.Loss(n, d));

        var law = Fit([.. points]).Fit.Law;

        foreach (var quantity in Quantities.Parametric)
            Assert.Equal(1, quantity.Of(law) / quantity.Of(truth), 1e-6);
    }

    [Fact]
    public void Intervals_of_noisy_runs_hold_the_published_law()
    {
        var fit = Runs.Fit(Runs.IsoFlops(Runs.Besiroglu, noise: 0.005, sizes: 20), new() { Resamples = 100 }).Groups[0].Parametric!.Fit;

        Assert.Equal(0, fit.FailedResamples);
        foreach (var quantity in Quantities.Parametric)
        {
            var interval = fit.IntervalOf(quantity.Of)!;
            Assert.InRange(quantity.Of(Runs.Besiroglu), interval.Low, interval.High);
            Assert.InRange(quantity.Of(fit.Law), interval.Low, interval.High);
        }
    }

    [Fact]
    public void Outliers_hardly_move_the_fit()
    {
        var points = Runs.IsoFlops(Runs.Hoffmann, noise: 0.002);
        points[3] = points[3] with { Loss = 2 * points[3].Loss };
        points[40] = points[40] with { Loss = 1.5 * points[40].Loss };

        var result = Runs.Fit(points).Groups[0];

        Assert.Equal(Runs.Hoffmann.ParameterExponent, result.Parametric!.Fit.Law.ParameterExponent, 0.02);
        Assert.Contains(result.Warnings, warning => warning.StartsWith("2 of 81 rows lie", StringComparison.Ordinal));
    }

    [Fact]
    public void The_gradient_is_that_of_finite_differences()
    {
        var points = Runs.IsoFlops(Runs.Hoffmann, noise: 0.01);
        var objective = new PowerSumObjective(
            [[.. points.Select(p => p.Parameters)], [.. points.Select(p => p.Tokens)]], [.. points.Select(p => p.Loss)], delta: 1e-2, hasFloor: true,
            weights: [.. points.Select((_, i) => (double)(i % 3))]);
        double[] at = [-0.3, 0.3, -0.6, 0.25, 0.5];
        var gradient = new double[5];
        objective.Evaluate(at, gradient);

        for (var i = 0; i < at.Length; i++)
        {
            const double Step = 1e-6;
            double[] above = [.. at], below = [.. at];
            above[i] += Step;
            below[i] -= Step;
            var difference = (objective.Evaluate(above, []) - objective.Evaluate(below, [])) / (2 * Step);
            Assert.Equal(difference, gradient[i], 1e-7);
        }
    }

    [Fact]
    public void Resampling_is_counting()
    {
        var points = Runs.IsoFlops(Runs.Hoffmann, noise: 0.01, sizes: 3);
        double[] at = [-0.6, 0.25, 0.5];
        static PowerSumObjective Of(IEnumerable<ScalingPoint> rows, double[]? weights = null) => new(
            [[.. rows.Select(p => p.Parameters / 1e9)]], [.. rows.Select(p => p.Loss)], 1e-3, hasFloor: true, weights);
        var doubled = Of(points).Reweighted([.. Enumerable.Repeat(2.0, points.Count)]);

        Assert.Equal(2 * Of(points).HuberSum(at), doubled.HuberSum(at), 1e-12);
        Assert.Equal(5, Of(points.Take(5)).Residuals(at).Length);
    }

    [Fact]
    public void The_allocation_is_where_the_loss_is_least()
    {
        var law = Runs.Besiroglu;
        var best = law.Allocate(1e21);

        Assert.Equal(1e21, 6 * best.Parameters * best.Tokens, 1e21 * 1e-12);
        foreach (var factor in new[] { 0.99, 1.01 })
            Assert.True(law.Loss(best.Parameters * factor, best.Tokens / factor) > best.Loss);
        Assert.Equal(1, law.ParameterExponent + law.TokenExponent, 1e-12);
        Assert.Equal(law.ParameterExponent, Math.Log10(law.Allocate(1e22).Parameters / best.Parameters), 1e-9);
        Assert.True(double.IsNaN((law with { Alpha = -0.1 }).Allocate(1e21).Parameters));
    }

    [Fact]
    public void Own_compute_is_taken_from_the_table()
    {
        var points = Runs.IsoFlops(Runs.Hoffmann).ConvertAll(point => point with { Compute = 8 * point.Parameters * point.Tokens });

        var result = Fit(points);

        Assert.Equal(8, result.FlopsPerParameterToken, 1e-9);
        Assert.All(result.Allocations, row => Assert.Equal(1, row.Optimum.Compute / (8 * row.Optimum.Parameters * row.Optimum.Tokens), 1e-9));
    }

    private static ParametricResult Fit(List<ScalingPoint> points) => Runs.Fit(points).Groups[0].Parametric!;
}
