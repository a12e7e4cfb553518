using AnTransformer.Training.Devices;
using AnTransformer.Training.Runs;

namespace AnTransformer.Training.Tests;

/// <summary>bf16 on a CPU: used where it pays, and said where it does not. Alone, since the rate is set for the process.</summary>
[CollectionDefinition(nameof(BFloatRateTests), DisableParallelization = true)]
[Collection(nameof(BFloatRateTests))]
public sealed class BFloatRateTests : IDisposable
{
    private static readonly BFloatRate Slow = new(300, 164);
    private static readonly BFloatRate Fast = new(300, 500);
    private readonly TinyRun _run = new();

    public void Dispose()
    {
        BFloatRate.OfThisMachine = BFloatRate.Measure;
        _run.Dispose();
    }

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

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_run_computes_in_the_faster_one_says_so_and_goes_on_in_it_whatever_is_measured_then(bool pays)
    {
        var used = pays ? "bf16" : "fp32";
        Assert.Equal(!pays, Train(pays ? Fast : Slow, steps: 3, used));
        // The configuration of the checkpoint is the one that was given, so that the same one goes on.
        Assert.Contains("compute_dtype: bf16", File.ReadAllText(Path.Combine(_run.Checkpoint(3), "training_config.yaml")), StringComparison.Ordinal);
        Assert.False(Train(pays ? Slow : Fast, steps: 6, used));
    }

    /// <summary>Trains in the same directory.</summary>
    /// <returns>Whether it was said that the run computes in fp32.</returns>
    private bool Train(BFloatRate rate, int steps, string used)
    {
        BFloatRate.OfThisMachine = () => rate;
        var configuration = _run.Configuration();
        (configuration.Training.Steps, configuration.Training.ComputeDtype) = (steps, ComputeDtype.Bf16);
        var listener = new TinyListener();
        var outcome = TinyRun.Train(configuration, listener, further: true);
        Assert.Equal((TrainingStatus.Completed, (long)steps), (outcome.Status, outcome.State.Step));
        Assert.Equal(used, Assert.Single(outcome.State.Sessions).Environment.ComputeDtype);
        Assert.Equal(ComputeDtype.Bf16, configuration.Training.ComputeDtype);
        return listener.Messages.Exists(message => message.Contains("the run computes in fp32", StringComparison.Ordinal));
    }
}
