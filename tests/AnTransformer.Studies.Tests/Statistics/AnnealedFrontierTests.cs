using AnTransformer.Studies.Statistics;

namespace AnTransformer.Studies.Tests.Statistics;

public sealed class AnnealedFrontierTests
{
    private static readonly AnnealedFrontier Straight = new([1e6, 4e6, 16e6], [4, 3, 2]);

    [Theory]
    [InlineData(2.5, 8e6, Bounds.None, false)]
    [InlineData(4, 1e6, Bounds.None, false)]
    [InlineData(2, 16e6, Bounds.None, false)]
    [InlineData(1.5, 32e6, Bounds.None, true)]
    [InlineData(4.5, 0.5e6, Bounds.None, true)]
    [InlineData(0.5, 64e6, Bounds.AtLeast, true)]
    [InlineData(9, 0.25e6, Bounds.AtMost, true)]
    public void Tokens_are_interpolated_and_extended_by_one_segment_at_most(double target, double tokens, Bounds bounds, bool isExtrapolated)
    {
        var found = Straight.TokensAt(target);
        Assert.Equal(tokens, found.Value, tokens * 1e-9);
        Assert.Equal((bounds, isExtrapolated), (found.Bounds, found.IsExtrapolated));
    }

    [Fact]
    public void A_frontier_that_does_not_fall_bounds_what_lies_beyond_it_by_its_budgets()
    {
        Assert.Equal(new SeedValue(2, Bounds.AtLeast), new AnnealedFrontier([1, 2], [3, 3]).TokensAt(2));
        Assert.Equal(new SeedValue(1, Bounds.AtMost), new AnnealedFrontier([1, 2], [3, 3.5]).TokensAt(4));
    }

    [Fact]
    public void A_speed_up_compares_budgets_of_equal_final_loss_and_a_bound_of_tokens_bounds_it_the_other_way()
    {
        Assert.Equal(new SeedValue(2), SpeedUp.OnFrontier(16e6, target: 2.5, Straight) with { Value = 2 });
        Assert.Equal(2, SpeedUp.OnFrontier(16e6, target: 2.5, Straight).Value, 1e-9);
        Assert.Equal(Bounds.AtMost, SpeedUp.OnFrontier(16e6, target: 0.5, Straight).Bounds);
        Assert.Equal(Bounds.AtLeast, SpeedUp.OnFrontier(1e6, target: 9, Straight).Bounds);
    }
}
