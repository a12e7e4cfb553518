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
        Assert.True(range.HighIsEdge);
        Assert.False(range.LowIsEdge);
    }

    [Fact]
    public void Nothing_is_taken_for_good_beyond_the_last_run_that_converged()
    {
        var range = Tolerance.Of([1, 2, 4], [2.1, 2, double.PositiveInfinity], 0.01)!;
        Assert.Equal(2, range.High);
        Assert.False(range.HighIsEdge);
        Assert.Null(Tolerance.Of([1, 2], [double.PositiveInfinity, double.NaN], 0.01));
    }
}
