using AnTransformer.Studies.Statistics;

namespace AnTransformer.Studies.Tests.Statistics;

public sealed class ToleranceTests
{
    [Fact]
    public void The_range_is_interpolated_in_octaves()
    {
        // One per cent above 2 is 2.02: halfway between 2 and 2.04 on both sides.
        var range = Tolerance.Of([1, 2, 4, 8, 16], [3, 2.04, 2, 2.04, 3], 0.01)!;
        Assert.Equal(4, range.Best);
        Assert.Equal(1, range.Octaves, 1e-9);
        Assert.False(range.IsBound);
    }

    [Fact]
    public void A_grid_that_ends_first_gives_a_bound()
    {
        var range = Tolerance.Of([1, 2, 4], [3, 2, 2.01], 0.01)!;
        Assert.Equal(4, range.High);
        Assert.True(range.HighIsBound);
        Assert.False(range.LowIsBound);
    }

    [Fact]
    public void Beyond_the_last_run_that_converged_nothing_is_known_so_it_is_a_bound()
    {
        var range = Tolerance.Of([1, 2, 4], [2.1, 2, double.PositiveInfinity], 0.01)!;
        Assert.Equal(2, range.High);
        Assert.True(range.HighIsBound);
        Assert.Null(Tolerance.Of([1, 2], [double.PositiveInfinity, double.NaN], 0.01));
    }

    [Fact]
    public void Seeds_have_their_tolerance_around_the_setting_that_is_best_on_average()
    {
        // The second seed alone would take 1 for the best and end there.
        var ranges = Tolerance.BySeed([1, 2, 4], [[2.2, 1.95], [2, 2], [2.04, 2.04]], 0.01);
        Assert.Equal([2.0, 2.0], ranges.Select(range => range.Best));
        Assert.All(ranges, range => Assert.Equal(2 * Math.Sqrt(2), range.High, 1e-9));
        Assert.Equal([false, true], ranges.Select(range => range.LowIsBound));
        Assert.Empty(Tolerance.BySeed([1, 2], [[1, double.PositiveInfinity], [double.PositiveInfinity, 1]], 0.01));
    }
}
