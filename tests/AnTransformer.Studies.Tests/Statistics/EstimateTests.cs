using AnTransformer.Studies.Statistics;

namespace AnTransformer.Studies.Tests.Statistics;

public sealed class EstimateTests
{
    [Fact]
    public void One_seed_has_no_interval()
    {
        Assert.Null(StudentInterval.OfMean([1.0]));
        Assert.Null(StudentInterval.OfMean([]));
        var estimate = Estimate.OfGeometricMean([new SeedValue(1.5)]);
        Assert.Equal((1.5, 1), (estimate.Value, estimate.Seeds));
        Assert.Null(estimate.Interval);
        Assert.True(estimate.IsTold);
    }

    [Fact]
    public void Student_s_interval_has_the_quantiles_of_the_tables()
    {
        // Mean 5, deviation 2: t(0.975) is 12.706 with one degree of freedom and 4.3027 with two.
        var two = StudentInterval.OfMean([5 - Math.Sqrt(2), 5 + Math.Sqrt(2)])!;
        Assert.Equal(5 - (12.7062 * 2 / Math.Sqrt(2)), two.Low, 1e-3);
        var three = StudentInterval.OfMean([3, 5, 7])!;
        Assert.Equal(5 - (4.302653 * 2 / Math.Sqrt(3)), three.Low, 1e-5);
        Assert.Equal(5 + (4.302653 * 2 / Math.Sqrt(3)), three.High, 1e-5);
        Assert.Equal(new Interval(2, 2), StudentInterval.OfMean([2.0, 2.0]));
    }

    [Fact]
    public void A_ratio_is_averaged_on_the_logarithm_so_that_the_inverse_has_the_inverse_interval()
    {
        SeedValue[] values = [new(1.2), new(1.5), new(2)];
        var estimate = Estimate.OfGeometricMean(values);
        var inverse = Estimate.OfGeometricMean([.. values.Select(value => value.Divide(1))]);
        Assert.Equal(Math.Cbrt(3.6), estimate.Value, 1e-12);
        Assert.Equal(1 / estimate.Value, inverse.Value, 1e-12);
        Assert.Equal(1 / estimate.Interval!.High, inverse.Interval!.Low, 1e-12);
        Assert.InRange(estimate.Value, estimate.Interval.Low, estimate.Interval.High);
    }

    [Fact]
    public void A_bound_among_the_seeds_makes_the_mean_a_bound_without_an_interval()
    {
        var bound = Estimate.OfGeometricMean([new SeedValue(2), new SeedValue(8, Bounds.AtLeast)]);
        Assert.Equal((4, Bounds.AtLeast), (bound.Value, bound.Bounds));
        Assert.Null(bound.Interval);
        Assert.False(bound.IsTold);
        Assert.Equal(Bounds.Both, Estimate.OfMean([new SeedValue(2, Bounds.AtMost), new SeedValue(8, Bounds.AtLeast)]).Bounds);
        Assert.Equal(Bounds.AtMost, new SeedValue(8, Bounds.AtLeast).Divide(1).Bounds);
    }

    [Fact]
    public void A_seed_that_diverged_leaves_a_mean_of_the_others_without_an_interval()
    {
        var estimate = Estimate.OfGeometricMean([new SeedValue(2), new SeedValue(2)], diverged: 1);
        Assert.Equal((2.0, 2, 1), (estimate.Value, estimate.Seeds, estimate.Diverged));
        Assert.Null(estimate.Interval);
        Assert.False(Estimate.OfGeometricMean([], diverged: 2).IsTold);
    }

    [Fact]
    public void A_paired_difference_takes_common_seeds_only()
    {
        var reference = new Dictionary<long, double> { [1] = 3, [2] = 4, [3] = 5, [9] = 1 };
        var side = new Dictionary<long, double> { [1] = 2.9, [2] = 3.7, [3] = 4.5, [8] = 1 };
        var difference = PairedDifference.Of(reference, side)!;
        Assert.Equal(3, difference.Pairs);
        Assert.Equal(-0.3, difference.Value, 1e-12);
        // Deviation 0.2, three pairs: half width 4.3027 · 0.2 / √3.
        Assert.Equal(-0.3 - (4.302653 * 0.2 / Math.Sqrt(3)), difference.Interval!.Low, 1e-5);
        Assert.Null(PairedDifference.Of(reference, side, diverged: 1)!.Interval);
        Assert.Null(PairedDifference.Of(reference, new Dictionary<long, double> { [7] = 1 }));
        Assert.Null(PairedDifference.Of(reference, new Dictionary<long, double> { [1] = 1 })!.Interval);
    }

    [Fact]
    public void Percentiles_are_interpolated_and_need_twenty_finite_values()
    {
        var interval = Interval.OfPercentiles(Enumerable.Range(0, 10_000).Select(i => (double)i).Append(double.NaN).Append(double.PositiveInfinity))!;
        Assert.Equal(249.975, interval.Low, 1e-9);
        Assert.Equal(9749.025, interval.High, 1e-9);
        Assert.Null(Interval.OfPercentiles(Enumerable.Repeat(1.0, 19)));
    }
}
