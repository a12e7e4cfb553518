using AnTransformer.Training.Data;
using AnTransformer.Training.Loop;
using AnTransformer.Training.Runs;
using TorchSharp;

namespace AnTransformer.Training.Tests;

/// <summary>The step that a lost run names: the one under way when it is lost, or the one after which something is found to be lost.</summary>
public sealed class DivergenceStepTests : IDisposable
{
    private readonly TinyRun _run = new();

    [Theory]
    [InlineData(10, float.NaN, 0, "the weights are not finite at step 10")]         // by the last save
    [InlineData(4, float.NaN, 2, "the weights are not finite at step 4")]           // by a save on the way
    [InlineData(4, float.NaN, 0, "the loss is NaN at step 5")]                      // by the next step, which is not taken
    [InlineData(10, 3e38f, 0, "the validation loss is NaN at step 10")]             // by the last evaluation: finite, but not usable
    public void A_diverged_run_names_the_step(long poisonedStep, float poison, long interval, string reason)
    {
        var configuration = _run.Configuration();
        configuration.Checkpoint.Interval = interval;
        Assert.Equal(reason, Train(configuration, poisonedStep, poison, stopAfter: -1).Reason);
    }

    [Fact]
    public void A_run_that_is_lost_when_it_is_stopped_names_the_step_too()
        => Assert.Equal("the weights are not finite at step 4", Train(_run.Configuration(), 4, float.NaN, stopAfter: 4).Reason);

    public void Dispose() => _run.Dispose();

    private static TrainingOutcome Train(
        Training.Configuration.TrainingConfiguration configuration, long poisonedStep, float poison, long stopAfter)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var listener = new Poisoner(poisonedStep, poison) { StopAfter = stopAfter, Stop = stop };
        using var run = RunDirectory.Open(configuration.Training.Output);
        using var data = TrainingData.Open(configuration, listener, stop.Token);
        using var trainer = new Trainer(configuration, data, run, listener);
        listener.Trainer = trainer;
        return trainer.Run(stop.Token);
    }

    /// <summary>Puts a value into all of the embedding after a step.</summary>
    private sealed class Poisoner(long step, float value) : ITrainingListener
    {
        public Trainer? Trainer { get; set; }

        public long StopAfter { get; init; }

        public CancellationTokenSource? Stop { get; init; }

        public void OnMessage(string message)
        {
        }

        public void OnWarning(string message)
        {
        }

        public void OnProgress(string task, double share, string detail)
        {
        }

        public void OnStart(TrainingPlan plan, TrainerState state, double matmulRate)
        {
        }

        public void OnStep(StepReport report)
        {
            if (report.Step == StopAfter)
                Stop!.Cancel();
            if (report.Step != step)
                return;
            using var noGrad = torch.no_grad();
            var head = Trainer!.Model.NamedParameters().Single(item => item.Name == "lm_head.weight").Parameter;
            head.mul_(0).add_(1);
            head.view(-1)[0] = value;
        }

        public void OnEvaluation(long evaluated, EvaluationResult result, bool isBest)
        {
        }
    }
}
