using AnTransformer.Studies.Scaling.Fitting;
using AnTransformer.Studies.Scaling.Tables;

namespace AnTransformer.Studies.Tests.Scaling;

public sealed class PublishedTableTests
{
    private static readonly ScalingTable Gadre = ScalingTable.Load(
        Path.Combine(AppContext.BaseDirectory, "data", "gadre2024-redpajama.csv"),
        new() { Parameters = "parameters", Tokens = "Training tokens", Loss = "c4 eval loss" });

    /// <summary>Gadre et al. (2024) predict these runs from small ones within 0.7 %, with one exponent for N and D; two exponents are freer to err.</summary>
    [Fact]
    public void Runs_below_a_billion_parameters_predict_those_above()
    {
        var law = Runs.Fit([.. Gadre.Points.Where(point => point.Parameters < 1e9)]).Groups[0].Parametric!.Fit.Law;
        var large = Gadre.Points.Where(point => point.Parameters > 1e9).ToList();

        Assert.Equal(3, large.Count);
        Assert.All(large, point => Assert.InRange(law.Loss(point.Parameters, point.Tokens) / point.Loss, 0.96, 1.04));
    }

    [Fact]
    public void The_best_minimum_is_found_from_most_starts_and_no_start_finds_a_better_one()
    {
        var fitting = new ParametricFit(Gadre.Points, 1e-3);
        var (best, descents, agreeing) = fitting.FromManyStarts(TestContext.Current.CancellationToken);

        Assert.True(agreeing > descents / 2, $"{agreeing} of {descents}");
        // A descent from every seventeenth start of the grid, good or bad, which reaches each of its values.
        foreach (var start in fitting.Grid().Where((_, i) => i % 17 == 0))
            Assert.True(fitting.DescendFrom(start).Value >= best.Value * (1 - 1e-6));
    }
}
