using AnTransformer.Architectures;
using AnTransformer.Checkpoints;
using AnTransformer.Operators;
using AnTransformer.Training.Configuration;
using AnTransformer.Training.Data;
using AnTransformer.Training.Inspection;
using AnTransformer.Training.Runs;
using static TorchSharp.torch;

namespace AnTransformer.Training.Tests;

/// <summary>Runs with the masked objective.</summary>
public sealed class MaskedRunTests : IDisposable
{
    private readonly TinyRun _run = new();

    public static TheoryData<string> Architectures => new(ArchitectureRegistry.Names);

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Every_architecture_learns(string architecture)
    {
        var configuration = Masked(architecture, steps: 40);
        configuration.Model.Architecture = architecture;
        configuration.Optimizer.LearningRate = 5e-3;
        var listener = new TinyListener();
        var outcome = TinyRun.Train(configuration, listener);
        Assert.Equal(TrainingStatus.Completed, outcome.Status);
        Assert.True(outcome.Evaluation!.Loss < 0.75 * listener.Reports[0].Loss, $"{outcome.Evaluation.Loss} after {listener.Reports[0].Loss}");
        Assert.InRange(outcome.Evaluation.MaskedAccuracy!.Value, 0.05, 1);
        Assert.Null(outcome.Evaluation.BitsPerByte);
        Assert.Null(outcome.Evaluation.Perplexity);
        Assert.Equal(4 * 5, outcome.Evaluation.Tokens);     // four sequences of 32, 15 % of each
    }

    [Fact]
    public void A_run_that_is_gone_on_with_is_the_run_that_was_not_stopped()
    {
        TinyRun.Train(Masked("whole"));
        TinyRun.Train(Masked("parts"), new TinyListener { StopAfter = 4 });
        TinyRun.Train(Masked("parts"));
        Assert.Equal(_run.Bytes(10, "whole"), _run.Bytes(10, "parts"));
    }

    /// <summary>Micro-batches have equal numbers of predicted tokens: a step's mean is the mean over all of them.</summary>
    [Fact]
    public void Accumulated_steps_are_those_of_the_whole_batch()
    {
        var (whole, parts) = (new TinyListener(), new TinyListener());
        TinyRun.Train(Masked("whole"), whole);
        var configuration = Masked("parts");
        (configuration.Training.BatchSize, configuration.Training.GradientAccumulation) = (1, 4);
        TinyRun.Train(configuration, parts);
        Assert.All(whole.Reports.Zip(parts.Reports), pair => Assert.Equal(pair.First.Loss, pair.Second.Loss, 2e-4));
    }

    [Fact]
    public void An_evaluation_measures_the_loss_that_training_lowers()
    {
        var configuration = Masked("run", steps: 20);
        (configuration.Evaluation.Batches, configuration.Optimizer.LearningRate) = (0, 5e-3);
        var evaluation = TinyRun.Train(configuration).Evaluation!;
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = ModelCheckpoint.Load(_run.Checkpoint(20), ModelContext.Default);
        using var data = TokenDataset.Open(_run.In("data"), DatasetSplit.Validation, 257);
        var windows = WindowSampler.Sequential(data, 32).Masked(TokenMasker.ForEvaluation(model.Config));
        var batches = InspectionBatches.Of(windows, windows.WindowCount, batchSize: 1, CPU).ToList();
        Assert.Equal(batches.Average(batch => model.Loss(batch.Tokens, batch.Targets).item<float>()), evaluation.Loss, 1e-4);
        var right = batches.Average(batch => model.forward(batch.Tokens).argmax(-1).eq(batch.Targets).sum().item<long>() / 5.0);
        Assert.Equal(right, evaluation.MaskedAccuracy!.Value, 1e-9);
    }

    [Fact]
    public void Evaluations_of_runs_with_other_seeds_mask_the_same_tokens()
    {
        var first = Masked("first", steps: 1);
        var second = Masked("second", steps: 1);
        second.Training.Seed = 5;
        second.Training.From = _run.In("first");
        (first.Optimizer.LearningRate, second.Optimizer.LearningRate) = (1e-12, 1e-12);
        Assert.Equal(TinyRun.Train(first).Evaluation!.Loss, TinyRun.Train(second).Evaluation!.Loss, 1e-6);
    }

    [Fact]
    public void Another_objective_is_another_run_and_another_model()
    {
        TinyRun.Train(Masked("run", steps: 1));
        var causal = Masked("run", steps: 1);
        causal.Training.Objective = TrainingObjective.Causal;
        Assert.Contains("training.objective: masked → causal", Refusal(causal), StringComparison.Ordinal);
        (causal.Training.Output, causal.Training.From) = (_run.In("other"), _run.In("run"));
        Assert.Contains("mask_token_id 257 there, none here", Refusal(causal), StringComparison.Ordinal);

        string Refusal(TrainingConfiguration configuration)
            => Assert.Throws<InvalidInputException>(() => TinyRun.Train(configuration)).Message;
    }

    [Fact]
    public void A_window_is_refused_where_it_is_given()
    {
        var e = Assert.Throws<InvalidInputException>(() => ConfigurationBinder.Parse<TrainingConfiguration>(
            "data: { path: d }\nmodel:\n  sliding_window: 8\ntraining: { steps: 1, objective: masked }\n", "run.yaml", []));
        Assert.StartsWith("run.yaml:3:", e.Message, StringComparison.Ordinal);
        Assert.Contains("training.objective is masked", e.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _run.Dispose();

    private TrainingConfiguration Masked(string output, long steps = 10)
    {
        var configuration = _run.Configuration(output);
        (configuration.Training.Objective, configuration.Training.Steps) = (TrainingObjective.Masked, steps);
        return configuration;
    }
}
