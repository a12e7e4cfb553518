using AnTransformer.Studies.Statistics;

namespace AnTransformer.Studies.Tests.Statistics;

public sealed class LossCurveTests
{
    // Loss 5 - log2(tokens / 1000): exactly linear in the logarithm of tokens.
    private static readonly LossCurve Straight = Halving(5, 1000);

    [Fact]
    public void Tokens_to_a_loss_are_interpolated_in_the_logarithm_of_tokens()
    {
        Assert.Equal(2000, Straight.TokensToReach(4)!.Value, 1e-9);
        Assert.Equal(1000 * Math.Pow(2, 2.25), Straight.TokensToReach(2.75)!.Value, 1e-9);
    }

    [Fact]
    public void The_first_crossing_of_the_running_minimum_counts()
    {
        var noisy = new LossCurve([1, 2, 4, 8], [5, 3, 4, 2.5]);
        Assert.Equal(2, noisy.TokensToReach(3)!.Value);
        // From the minimum so far, 3 at 2 tokens, over the worse 4 at 4 tokens: the crossing lies in the last interval.
        Assert.Equal(4 * Math.Pow(2, 0.5), noisy.TokensToReach(2.75)!.Value, 1e-12);
    }

    [Fact]
    public void A_loss_never_reached_has_no_tokens_and_one_reached_at_once_has_the_first_evaluation_s()
    {
        Assert.Null(Straight.TokensToReach(0.5));
        Assert.Equal(1000, Straight.TokensToReach(6));
    }

    [Fact]
    public void A_mean_is_pointwise_over_common_evaluations()
    {
        var mean = LossCurve.Mean([new LossCurve([1, 2, 4], [3, 2, 1]), new LossCurve([2, 4], [4, 3])]);
        Assert.Equal([2.0, 4], mean.Tokens);
        Assert.Equal([3.0, 2], mean.Losses);
    }

    [Fact]
    public void A_side_that_learns_twice_as_fast_has_speed_up_2_and_the_other_way_round_a_half()
    {
        var fast = Halving(5, 500);
        Assert.Equal(2, SpeedUp.InRun(Straight, fast).Value, 1e-9);
        Assert.Equal(0.5, SpeedUp.InRun(fast, Straight).Value, 1e-9);
    }

    [Fact]
    public void Equal_curves_have_speed_up_1()
        => Assert.Equal(1, SpeedUp.InRun(Straight, Straight).Value, 1e-12);

    [Fact]
    public void A_speed_up_reached_at_the_first_evaluation_is_a_bound()
    {
        var sudden = new LossCurve([1000, 2000], [0.1, 0.05]);
        Assert.Equal(new SeedValue(16, Bounds.AtLeast), SpeedUp.InRun(Straight, sudden));
        Assert.Equal(new SeedValue(1 / 16.0, Bounds.AtMost), SpeedUp.InRun(sudden, Halving(9, 1000)));
        Assert.Equal(Bounds.None, SpeedUp.InRun(Straight, Halving(5, 700)).Bounds);
    }

    private static LossCurve Halving(double start, double first)
        => new([1000, 2000, 4000, 8000, 16000], Enumerable.Range(0, 5).Select(i => start - Math.Log2(1000 * Math.Pow(2, i) / first)).ToList());
}
