using AnTransformer.Studies.Tuning;

namespace AnTransformer.Studies.Tests.Tuning;

public sealed class LearningRateSearchTests
{
    [Fact]
    public void A_best_rate_inside_the_grid_ends_the_search()
    {
        var search = Run([1, 2, 4], maxExtensions: 4, Around(2));
        Assert.Equal(2, search.BestRate);
        Assert.Equal([1.0, 2, 4], search.Rates);
        Assert.False(search.IsAtEdge);
    }

    [Fact]
    public void The_grid_grows_beyond_an_edge_until_the_best_is_inside()
    {
        Assert.Equal([1.0, 2, 4, 8, 16, 32], Run([1, 2, 4], 4, Around(16)).Rates);
        Assert.Equal([0.125, 0.25, 0.5, 1], Run([0.5, 1], 4, Around(0.25)).Rates);
        Assert.Equal([0.5, 1, 2], Run([1], 4, Around(1)).Rates);
    }

    [Fact]
    public void The_grid_grows_no_more_often_than_allowed_and_the_best_is_known_to_be_at_the_edge()
    {
        var search = Run([1, 2], maxExtensions: 1, Around(100));
        Assert.Equal([1.0, 2, 4], search.Rates);
        Assert.Equal(4, search.BestRate);
        Assert.True(search.IsAtEdge);
        Assert.True(search.IsDecided);
        Assert.True(Run([3], 0, Around(3)) is { IsFixed: true, IsAtEdge: false, BestRate: 3 });
    }

    [Fact]
    public void Missing_losses_leave_it_undecided()
    {
        var search = Run([1, 2, 4], 4, rate => rate > 2 ? null : rate);
        Assert.False(search.IsDecided);
        Assert.Null(search.Best);
        Assert.Equal([1.0, 2, 4], search.Rates);
    }

    [Fact]
    public void A_diverged_rate_counts_as_infinite_and_when_all_diverge_the_grid_grows_downward()
    {
        Assert.Equal(2, Run([1, 2, 4], 4, rate => rate > 2 ? double.PositiveInfinity : 3 - rate).BestRate);
        Assert.Equal([0.5, 1, 2], Run([2], 3, rate => rate > 1 ? double.PositiveInfinity : Math.Abs(rate - 1)).Rates);
        var lost = Run([1, 2], 2, _ => double.PositiveInfinity);
        Assert.Equal([0.25, 0.5, 1, 2], lost.Rates);
        Assert.True(lost is { Best: null, IsDecided: true });
    }

    [Fact]
    public void Of_equal_losses_the_lower_rate_is_taken()
        => Assert.Equal(2, Run([1, 2, 4, 8], 4, rate => rate is 2 or 4 ? 1 : 2).BestRate);

    [Fact]
    public void Rates_stay_numbers_that_a_user_would_write()
        => Assert.Equal([0.001, 0.003, 0.009, 0.027], LearningRateSearch.Run([0.001, 0.003], 3, 2, rate => -rate).Rates);

    private static LearningRateSearch Run(double[] grid, int maxExtensions, Func<double, double?> loss)
        => LearningRateSearch.Run(grid, factor: 2, maxExtensions, loss);

    private static Func<double, double?> Around(double best) => rate => Math.Abs(Math.Log2(rate / best));
}
