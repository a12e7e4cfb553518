using AnTransformer.Studies.Scaling.Fitting;
using AnTransformer.Studies.Scaling.Laws;
using AnTransformer.Studies.Scaling.Reporting;
using AnTransformer.Studies.Scaling.Tables;

namespace AnTransformer.Studies.Tests.Scaling;

public sealed class ScalingFitTests
{
    [Fact]
    public void The_same_seed_gives_the_same_intervals_and_another_seed_others()
    {
        var points = Runs.IsoFlops(Runs.Hoffmann, noise: 0.005, sizes: 5);

        string Fit(int seed) => ScalingJson.Of(Runs.Fit(points, new() { Resamples = 24, Seed = seed })).ToJsonString();

        Assert.Equal(Fit(0), Fit(0));
        Assert.NotEqual(Fit(0), Fit(1));
    }

    [Theory]
    [InlineData(1.5, 900, 0.15, false)]
    [InlineData(0, 40, 0.05, true)]
    [InlineData(0.8, 25, 0.06, false)]
    public void The_law_of_compute_is_recovered(double floor, double scale, double exponent, bool zeroFloor)
    {
        var truth = new ComputeLaw(floor, scale, exponent);
        var points = Enumerable.Range(0, 8).Select(i => Math.Pow(10, 15 + i)).Select(c => new ScalingPoint(double.NaN, double.NaN, c, truth.Loss(c)));
        // Runs that waste compute lie above the frontier.
        points = points.Concat(points.Select(point => point with { Compute = 1.3 * point.Compute, Loss = 1.1 * point.Loss }));

        var result = Runs.Fit([.. points], new() { Law = ScalingLaw.Power, ZeroFloor = zeroFloor, Resamples = 0 }).Groups[0].Compute!;

        Assert.Equal(8, result.Frontier.Count);
        Assert.Equal(floor, result.Fit.Law.Floor, 1e-5);
        Assert.Equal(1, result.Fit.Law.Exponent / exponent, 1e-5);
        Assert.Equal(1, result.Fit.Law.Scale / scale, 1e-4);
    }

    [Fact]
    public void Best_learning_rates_and_batch_sizes_are_found_among_sweeps()
    {
        var points = new List<ScalingPoint>();
        foreach (var n in new[] { 1e7, 4e7, 2e8, 1e9 })
        {
            foreach (var d in new[] { 1e9, 5e9, 3e10 })
            {
                var best = new HyperparameterLaw(1.79, -0.713, 0.307).At(n, d);
                var batch = new HyperparameterLaw(0.58, 0, 0.571).At(n, d);
                points.AddRange(new[] { -2, -1, 0, 1, 2 }.Select(octave => ScalingPoint.Of(n, d, Runs.Hoffmann.Loss(n, d) * (1 + (0.01 * octave * octave))) with
                {
                    LearningRate = best * Math.Pow(2, octave),
                    BatchSize = batch * Math.Pow(2, -octave),
                }));
            }
        }

        var fit = Runs.Fit(points, new() { Resamples = 40 }).Groups[0];

        Assert.Equal(-0.713, fit.LearningRate!.Law.ParameterExponent, 1e-9);
        Assert.Equal(0.307, fit.LearningRate.Law.TokenExponent, 1e-9);
        Assert.Equal(1.79, fit.LearningRate.Law.Scale, 1e-7);
        Assert.Equal(0.571, fit.BatchSize!.Law.TokenExponent, 1e-9);
        Assert.Equal(0, fit.BatchSize.Law.ParameterExponent, 1e-9);
        Assert.Equal(12, fit.Points.Count);
        Assert.Equal(Runs.Hoffmann.Alpha, fit.Parametric!.Fit.Law.Alpha, 1e-5);
        Assert.NotNull(fit.LearningRate.IntervalOf(law => law.TokenExponent));
        Assert.DoesNotContain(fit.Notes, note => note.Contains("smallest or largest", StringComparison.Ordinal));
    }

    [Fact]
    public void A_learning_rate_law_that_the_runs_do_not_determine_is_left_out_with_a_note()
    {
        var points = Runs.IsoFlops(Runs.Hoffmann).ConvertAll(point => point with { Tokens = 20 * point.Parameters, LearningRate = 1e-3 });
        points = points.ConvertAll(point => point with { Loss = Runs.Hoffmann.Loss(point.Parameters, point.Tokens) });

        var fit = Runs.Fit(points).Groups[0];

        Assert.Null(fit.LearningRate);
        Assert.Contains(fit.Notes, note => note.Contains("learning rate is left out", StringComparison.Ordinal));
        Assert.Contains(fit.Warnings, warning => warning.StartsWith("N and D rise together", StringComparison.Ordinal));
    }

    [Fact]
    public void Groups_are_fitted_apart_and_their_exponents_compared()
    {
        var other = Runs.Hoffmann with { Alpha = 0.42, A = 2000 };
        var points = Runs.IsoFlops(Runs.Hoffmann, 0.001).ConvertAll(point => point with { Group = "gpt+" })
            .Concat(Runs.IsoFlops(other, 0.001, seed: 2).ConvertAll(point => point with { Group = "angpt" })).ToList();

        var fit = Runs.Fit(points, new() { Resamples = 60 });

        Assert.Equal(["gpt+", "angpt"], fit.Groups.Select(group => group.Group));
        Assert.Equal(0.34, fit.Groups[0].Parametric!.Fit.Law.Alpha, 0.01);
        Assert.Equal(0.42, fit.Groups[1].Parametric!.Fit.Law.Alpha, 0.01);
        var alpha = Assert.Single(fit.Comparisons, row => row.Quantity == "parametric.alpha");
        Assert.Equal(0.08, alpha.Difference, 0.015);
        Assert.InRange(0.08, alpha.Interval!.Low, alpha.Interval.High);
        Assert.False(alpha.Interval.SpansZero);
        Assert.True(fit.Comparisons.Single(row => row.Quantity == "parametric.beta").Interval!.SpansZero);
        Assert.Contains(fit.Comparisons, row => row.Quantity == "compute.gamma");
    }

    [Fact]
    public void A_law_that_does_not_level_off_is_warned_about()
    {
        var truth = new ParametricLaw(0, 20, 30, 0.1, 0.12);

        var fit = Runs.Fit(Runs.IsoFlops(truth)).Groups[0];

        Assert.Contains(fit.Warnings, warning => warning.StartsWith("E has gone to zero", StringComparison.Ordinal));
    }

    [Fact]
    public void An_irreducible_loss_that_noise_hides_has_an_interval_from_zero_upwards()
    {
        var truth = Runs.Hoffmann with { E = 0.3 };

        var fit = Runs.Fit(Runs.IsoFlops(truth, noise: 0.1, sizes: 5), new() { Resamples = 60 }).Groups[0].Parametric!.Fit;

        var interval = fit.IntervalOf(law => law.E)!;
        Assert.Equal(0, interval.Low);
        Assert.InRange(interval.High, 0.3, 3);
    }

    [Fact]
    public void Losses_that_rise_with_size_are_warned_about_and_allocate_nothing()
    {
        var points = Runs.IsoFlops(Runs.Hoffmann).ConvertAll(point => point with { Loss = 2 + (0.1 * Math.Log10(point.Parameters)) + Math.Pow(point.Tokens, -0.1) });

        var fit = Runs.Fit(points).Groups[0];

        Assert.Empty(fit.Parametric!.Allocations);
        Assert.Contains(fit.Warnings, warning => warning.StartsWith("α is not positive", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(5, 1, 1, "at least 6 rows")]
    [InlineData(12, 2, 6, "at least 3 numbers of parameters")]
    [InlineData(12, 6, 2, "at least 3 numbers of tokens")]
    public void Too_few_runs_are_refused(int rows, int sizes, int lengths, string fragment)
    {
        var points = Enumerable.Range(0, rows).Select(i => ScalingPoint.Of(1e6 * (1 + (i % sizes)), 1e8 * (1 + (i % lengths)), 3 - (0.01 * i))).ToList();

        var error = Assert.Throws<InvalidInputException>(() => Runs.Fit(points));

        Assert.Contains("runs.csv", error.Message, StringComparison.Ordinal);
        Assert.Contains(fragment, error.Message, StringComparison.Ordinal);
        Assert.Contains("--law power", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void No_runs_and_too_few_budgets_are_refused()
    {
        Assert.Contains("no rows", Assert.Throws<InvalidInputException>(() => Runs.Fit([])).Message, StringComparison.Ordinal);
        var points = Enumerable.Range(1, 3).Select(i => new ScalingPoint(double.NaN, double.NaN, 1e18 * i, 4 - i)).ToList();
        var error = Assert.Throws<InvalidInputException>(() => Runs.Fit(points, new() { Law = ScalingLaw.Power }));
        Assert.Contains("has 3 budgets", error.Message, StringComparison.Ordinal);
    }
}
