using AnTransformer.Studies.Statistics;

namespace AnTransformer.Studies.Tests.Statistics;

public sealed class FrontierTests
{
    private static readonly Frontier Straight = new([1e6, 4e6, 16e6], [4, 3, 2]);

    [Theory]
    [InlineData(2.5, 8e6, FrontierReach.Inside)]
    [InlineData(4, 1e6, FrontierReach.Inside)]
    [InlineData(2, 16e6, FrontierReach.Inside)]
    [InlineData(1.5, 32e6, FrontierReach.Extrapolated)]
    [InlineData(4.5, 0.5e6, FrontierReach.Extrapolated)]
    [InlineData(0.5, 64e6, FrontierReach.Bound)]
    [InlineData(9, 0.25e6, FrontierReach.Bound)]
    public void Tokens_are_interpolated_and_extended_by_one_segment_at_most(double target, double tokens, FrontierReach reach)
    {
        var found = Straight.TokensAt(target);
        Assert.Equal(tokens, found.Tokens, tokens * 1e-9);
        Assert.Equal(reach, found.Reach);
    }

    [Fact]
    public void A_frontier_that_does_not_fall_cannot_be_extended()
        => Assert.True(double.IsNaN(new Frontier([1, 2], [3, 3]).TokensAt(2).Tokens));

    [Fact]
    public void A_speed_up_compares_budgets_of_equal_final_loss()
    {
        var speedUp = SpeedUp.OfFrontier(16e6, target: 2.5, Straight);
        Assert.Equal(2, speedUp.Value, 1e-9);
        Assert.Equal(FrontierReach.Inside, speedUp.Reach);
    }
}
