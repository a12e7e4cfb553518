using AnTransformer.Optimization;

namespace AnTransformer.Tests.Optimization;

public sealed class LearningRateScheduleTests
{
    private const double Peak = 0.01;

    [Theory]
    [InlineData(ScheduleKind.Cosine, 0.5)]
    [InlineData(ScheduleKind.Polynomial, 0.5)]
    [InlineData(ScheduleKind.Wsd, 1)]
    [InlineData(ScheduleKind.Constant, 1)]
    public void Half_way_it_has_its_kinds_share_of_the_peak(ScheduleKind kind, double share)
        => Assert.Equal(Peak * share, new LearningRateSchedule(kind, Peak, Steps: 1000).At(500), 12);

    [Theory]
    [InlineData(ScheduleKind.Cosine)]
    [InlineData(ScheduleKind.Polynomial)]
    [InlineData(ScheduleKind.Wsd)]
    public void It_starts_at_the_peak_never_rises_and_ends_at_its_final_share(ScheduleKind kind)
    {
        var schedule = new LearningRateSchedule(kind, Peak, Steps: 400, FinalFraction: 0.1, Power: 1.7);
        Assert.Equal(Peak, schedule.At(0), 12);
        for (var step = 1; step <= 400; step++)
            Assert.InRange(schedule.At(step), Peak * 0.1, schedule.At(step - 1));
        Assert.Equal(Peak * 0.1, schedule.At(400), 12);
    }

    [Fact]
    public void Warm_up_rises_in_equal_steps_and_the_shape_begins_after_it()
    {
        var schedule = new LearningRateSchedule(ScheduleKind.Polynomial, Peak, Steps: 110, WarmupSteps: 10, Power: 2);
        for (var step = 0; step < 10; step++)
            Assert.Equal(Peak * (step + 1) / 10, schedule.At(step), 12);
        Assert.Equal(Peak, schedule.At(10), 12);
        Assert.Equal(Peak / 4, schedule.At(60), 12);
    }

    [Fact]
    public void A_stable_phase_ends_where_the_decay_of_the_last_steps_begins()
    {
        var schedule = new LearningRateSchedule(ScheduleKind.Wsd, Peak, Steps: 100, DecayFraction: 0.2);
        Assert.Equal(Peak, schedule.At(80), 12);
        Assert.Equal(Peak / 2, schedule.At(90), 12);
    }
}
