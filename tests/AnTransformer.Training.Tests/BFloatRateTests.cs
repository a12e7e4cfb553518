using AnTransformer.Training.Devices;
using AnTransformer.Training.Runs;

namespace AnTransformer.Training.Tests;

/// <summary>bf16 on a CPU: used where it pays, and said where it does not.</summary>
public sealed class BFloatRateTests : IDisposable
{
    private readonly TinyRun _run = new();

    public void Dispose() => _run.Dispose();

    [Theory]
    [InlineData(300, 164, false)]
    [InlineData(300, 310, false)]
    [InlineData(300, 500, true)]
    public void It_pays_where_it_gains_more_than_conversions_cost(double fp32, double bf16, bool pays)
        => Assert.Equal(pays, new BFloatRate(fp32, bf16).IsFaster);

    [Fact]
    public void Both_are_measured()
    {
        var rate = BFloatRate.Measure();
        Assert.True(rate is { Fp32: > 1e6, Bf16: > 1e6 } && double.IsFinite(rate.Fp32 + rate.Bf16));
    }

    [Fact]
    public void A_run_computes_in_the_faster_one_and_says_so()
    {
        var configuration = _run.Configuration();
        configuration.Training.ComputeDtype = ComputeDtype.Bf16;
        var listener = new TinyListener();
        var outcome = TinyRun.Train(configuration, listener);
        Assert.Equal(TrainingStatus.Completed, outcome.Status);
        var used = outcome.State.Sessions[^1].Environment.ComputeDtype;
        Assert.Equal(used == "fp32", listener.Messages.Exists(warning => warning.Contains("the run computes in fp32", StringComparison.Ordinal)));
        // What was given is not changed under its owner's hands.
        Assert.Equal(ComputeDtype.Bf16, configuration.Training.ComputeDtype);
    }
}
