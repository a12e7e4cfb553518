using AnTransformer.Studies.Statistics;

namespace AnTransformer.Studies.Tests.Statistics;

public sealed class BootstrapTests
{
    [Fact]
    public void One_seed_has_no_interval()
        => Assert.Null(Bootstrap.Run([5, 1], _ => 1));

    [Fact]
    public void Equal_values_have_an_interval_without_width_and_the_same_call_gives_the_same_interval()
    {
        Assert.Equal(new Interval(2, 2), Bootstrap.Run([3], _ => 2));
        double[] values = [1, 2, 4, 8];
        var first = Bootstrap.Run([4], drawn => drawn[0].Average(i => values[i]));
        Assert.Equal(first, Bootstrap.Run([4], drawn => drawn[0].Average(i => values[i])));
        Assert.InRange(first!.Low, 1, 3.75);
        Assert.InRange(first.High, 3.75, 8);
    }

    [Fact]
    public void The_interval_is_that_of_the_percentiles_of_ten_thousand_values()
    {
        var i = 0;
        var interval = Bootstrap.Run([2], _ => i++)!;
        Assert.Equal(249.975, interval.Low, 1e-9);
        Assert.Equal(9749.025, interval.High, 1e-9);
    }

    [Fact]
    public void Values_that_are_not_numbers_are_counted_and_too_many_leave_no_interval()
    {
        var calls = 0;
        Assert.Equal(new Interval(1, 1), Bootstrap.Run([2], _ => ++calls % 20 == 0 ? double.NaN : 1, out var leftOut));
        Assert.Equal(0.05, leftOut, 1e-12);
        Assert.Null(Bootstrap.Run([2], _ => ++calls % 9 == 0 ? double.NaN : 1, out leftOut));
        Assert.Equal(1 / 9.0, leftOut, 1e-3);
        Assert.Null(Bootstrap.Run([2], _ => double.NaN));
        var estimate = Estimate.Of(3, [2], _ => ++calls % 20 == 0 ? double.NaN : 1).Times(2);
        Assert.Equal((6, new Interval(2, 2)), (estimate.Value, estimate.Interval));
        Assert.Equal(0.05, estimate.LeftOut, 1e-12);
    }

    [Fact]
    public void Intervals_of_a_mean_cover_the_truth_about_as_often_as_they_say()
    {
        // Twenty normal values each: the percentile bootstrap covers a little less often than 95 % of the time.
        var random = new Random(5);
        var covered = Enumerable.Range(0, 100).Count(_ =>
        {
            var values = Enumerable.Range(0, 20).Select(_ => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())).ToArray();
            return Bootstrap.Run([20], drawn => drawn[0].Average(i => values[i])) is { Low: < 0, High: > 0 };
        });
        Assert.InRange(covered, 85, 99);
    }

    [Fact]
    public void A_paired_difference_has_both_intervals_and_takes_common_seeds_only()
    {
        var reference = new Dictionary<long, double> { [1] = 3, [2] = 4, [3] = 5, [9] = 1 };
        var side = new Dictionary<long, double> { [1] = 2.9, [2] = 3.7, [3] = 4.5, [8] = 1 };
        var difference = PairedDifference.Of(reference, side)!;
        Assert.Equal(3, difference.Pairs);
        Assert.Equal(-0.3, difference.Value, 1e-12);
        // Deviation 0.2, three pairs: half width 4.3027 · 0.2 / √3.
        Assert.Equal(-0.3 - (4.302653 * 0.2 / Math.Sqrt(3)), difference.Student!.Low, 1e-5);
        Assert.InRange(difference.Bootstrap!.Low, -0.5, -0.3);
        Assert.Null(PairedDifference.Of(reference, new Dictionary<long, double> { [7] = 1 }));
        Assert.Null(PairedDifference.Of(reference, new Dictionary<long, double> { [1] = 1 })!.Student);
    }
}
