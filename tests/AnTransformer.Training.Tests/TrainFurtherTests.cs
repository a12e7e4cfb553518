using AnTransformer.Architectures;
using AnTransformer.Optimization;
using AnTransformer.Training.Configuration;
using AnTransformer.Training.Loop;
using AnTransformer.Training.Runs;

namespace AnTransformer.Training.Tests;

/// <summary>Finished runs that are trained to more steps, and new runs from a checkpoint's weights.</summary>
public sealed class TrainFurtherTests : IDisposable
{
    private readonly TinyRun _run = new();

    public static TheoryData<string> Architectures => new(ArchitectureRegistry.Names);

    /// <summary>A constant rate does not depend on the number of steps. Warm-up is what the run had, so it is the same in both.</summary>
    [Theory]
    [MemberData(nameof(Architectures))]
    public void At_a_constant_rate_ten_steps_and_ten_more_are_twenty_bit_for_bit(string architecture)
    {
        var whole = Configuration("whole", 20);
        var wholeListener = new TinyListener();
        TinyRun.Train(whole, wholeListener);

        TinyRun.Train(Configuration("run", 10));
        var listener = new TinyListener();
        var outcome = TinyRun.Train(SavedRun.Load(_run.In("run"), [("training.steps", "20")]), listener, further: true);
        Assert.Equal((TrainingStatus.Completed, 20L), (outcome.Status, outcome.State.Step));
        Assert.Equal(10, listener.Reports.Count);
        Assert.Equal(Figures(wholeListener.Reports[10..]), Figures(listener.Reports));
        Assert.Equal(_run.Bytes(20, "whole"), _run.Bytes(20));
        // From then on the run has twenty steps, for itself as for others.
        Assert.Equal(20, TinyRun.Train(SavedRun.Load(_run.In("run"), []), further: true).State.Step);

        static IEnumerable<(double Loss, double Rate)> Figures(IEnumerable<StepReport> reports)
            => reports.Select(report => (report.Loss, report.LearningRate));

        TrainingConfiguration Configuration(string output, long steps)
        {
            var configuration = _run.Configuration(output);
            configuration.Model.Architecture = architecture;
            configuration.Schedule.WarmupSteps = 3;
            configuration.Training.Steps = steps;
            return configuration;
        }
    }

    [Fact]
    public void A_wsd_run_stopped_before_it_goes_down_becomes_a_longer_one_bit_for_bit()
    {
        var whole = _run.Configuration("whole");
        (whole.Schedule.Kind, whole.Training.Steps) = (ScheduleKind.Wsd, 20);
        TinyRun.Train(whole);

        var parts = _run.Configuration();
        (parts.Schedule.Kind, parts.Training.Steps) = (ScheduleKind.Wsd, 10);       // goes down from step 8 on
        Assert.Equal(TrainingStatus.Stopped, TinyRun.Train(parts, new TinyListener { StopAfter = 7 }).Status);
        TinyRun.Train(SavedRun.Load(_run.In("run"), [("steps", "20")]), further: true);
        Assert.Equal(_run.Bytes(20, "whole"), _run.Bytes(20));
    }

    /// <summary>The rate of every step is the new schedule's: after a cosine has come to its end it begins again at its place there.</summary>
    [Fact]
    public void The_rate_follows_the_schedule_over_the_new_number_of_steps()
    {
        var configuration = _run.Configuration();
        configuration.Schedule.Kind = ScheduleKind.Cosine;
        TinyRun.Train(configuration);
        var listener = new TinyListener();
        TinyRun.Train(SavedRun.Load(_run.In("run"), [("training.steps", "20")]), listener, further: true);
        var expected = Enumerable.Range(10, 10).Select(step => configuration.Optimizer.LearningRate * 0.5 * (1 + Math.Cos(Math.PI * step / 20)));
        Assert.All(listener.Reports.Zip(expected), pair => Assert.Equal(pair.Second, pair.First.LearningRate, 1e-12));
        Assert.Contains(listener.Messages, message => message.Contains("over 20 steps", StringComparison.Ordinal));
    }

    [Fact]
    public void A_length_takes_the_place_of_the_budgets_that_the_run_had()
    {
        var configuration = _run.Configuration();
        (configuration.Training.Steps, configuration.Training.MaxTokens, configuration.Training.MaxMinutes) = (null, 4 * 32 * 4, 10);
        TinyRun.Train(configuration);
        var further = SavedRun.Load(_run.In("run"), [("--steps", "6")]).Training;
        Assert.Equal((6L, null, null), (further.Steps, further.MaxTokens, further.MaxMinutes));
        var same = SavedRun.Load(_run.In("run"), [("training.threads", "1")]).Training;
        Assert.Equal((null, 4L * 32 * 4, 10.0, _run.In("run")), (same.Steps, same.MaxTokens, same.MaxMinutes, same.Output));
    }

    [Fact]
    public void Another_length_needs_to_be_asked_for_and_to_be_no_shorter_than_what_is_done()
    {
        TinyRun.Train(_run.Configuration());
        var longer = _run.Configuration();
        longer.Training.Steps = 20;
        var e = Assert.Throws<InvalidInputException>(() => TinyRun.Train(longer));
        Assert.Contains("training.steps: 10 → 20", e.Message, StringComparison.Ordinal);
        Assert.Contains("angpt train RUN --steps N", e.Message, StringComparison.Ordinal);

        var shorter = SavedRun.Load(_run.In("run"), [("training.steps", "5")]);
        Assert.Contains("10 steps already", Assert.Throws<InvalidInputException>(() => TinyRun.Train(shorter, further: true)).Message, StringComparison.Ordinal);

        var other = SavedRun.Load(_run.In("run"), [("training.steps", "20"), ("optimizer.learning_rate", "1e-4")]);
        Assert.Contains("optimizer.learning_rate", Assert.Throws<InvalidInputException>(() => TinyRun.Train(other, further: true)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_run_is_refused_by_what_it_is()
    {
        TinyRun.Train(_run.Configuration());
        Assert.Contains("without a run", Assert.Throws<InvalidInputException>(() => SavedRun.Load(_run.In("data"), [])).Message, StringComparison.Ordinal);
        Assert.Contains("is a checkpoint", Assert.Throws<InvalidInputException>(() => SavedRun.Load(_run.Checkpoint(10), [])).Message, StringComparison.Ordinal);
    }

    /// <summary>With a rate that moves nothing, the new run's weights are the old one's, and all else is that of a new run.</summary>
    [Fact]
    public void A_new_run_starts_with_a_checkpoints_weights_and_nothing_else_of_it()
    {
        var listener = new TinyListener();
        TinyRun.Train(_run.Configuration(), listener);
        var configuration = _run.Configuration("new");
        configuration.Training.From = _run.In("run");
        configuration.Training.Steps = 2;
        configuration.Training.Seed = 5;
        configuration.Optimizer.LearningRate = 1e-12;
        configuration.Model.MaxPositionEmbeddings = 16;
        var second = new TinyListener();
        var outcome = TinyRun.Train(configuration, second);
        Assert.Equal((2L, 8L), (outcome.State.Step, outcome.State.Sequences));
        Assert.Contains(second.Messages, message => message.Contains(_run.Checkpoint(10), StringComparison.Ordinal));
        Assert.True(second.Reports[0].Loss < listener.Reports[0].Loss - 0.1, $"{second.Reports[0].Loss} after {listener.Reports[0].Loss}");
        Assert.Equal(1e-12, second.Reports[0].LearningRate);
        Assert.Equal(Weights(_run.Checkpoint(10)), Weights(_run.Checkpoint(2, "new")), (a, b) => Math.Abs(a - b) < 1e-6);

        // Going on with the new run needs the old one no more.
        Directory.Delete(_run.In("run"), recursive: true);
        Assert.Equal(4, TinyRun.Train(SavedRun.Load(_run.In("new"), [("training.steps", "4")]), further: true).State.Step);
    }

    [Fact]
    public void Weights_of_another_model_or_tokenizer_are_refused()
    {
        TinyRun.Train(_run.Configuration());
        Refused(configuration => configuration.Model.HiddenSize = 64, "hidden_size 32 there, 64 here");
        Refused(configuration => configuration.Model.Architecture = "gpt", "model_type \"angpt\" there, \"gpt\" here");
        Refused(configuration => configuration.Model.AlphaInit = 0.05, "alpha_init 0.2 there, 0.05 here");
        Refused(
            configuration => (configuration.Tokenizer.Kind, configuration.Tokenizer.VocabSize, configuration.Data.Path) = (TokenizerKind.Bpe, 300, _run.In("bpe")),
            "vocab_size 257 there, 300 here");
        Refused(configuration => configuration.Training.From = _run.In("nowhere"), "no such directory");
        Refused(configuration => configuration.Training.From = _run.In("data"), "neither a checkpoint");
    }

    /// <summary>Two tokenizers with vocabularies of one size, learned from different texts: the shapes fit and the ids do not.</summary>
    [Fact]
    public void Weights_of_another_tokenizer_with_as_many_ids_are_refused()
    {
        var first = _run.Configuration();
        (first.Tokenizer.Kind, first.Tokenizer.VocabSize) = (TokenizerKind.Bpe, 280);
        TinyRun.Train(first);
        File.WriteAllText(_run.In("other.txt"), string.Concat(Enumerable.Range(0, 3000).Select(i => $"{i * i} is the square of {i}.\n")));
        var second = _run.Configuration("new");
        (second.Tokenizer.Kind, second.Tokenizer.VocabSize) = (TokenizerKind.Bpe, 280);
        (second.Data.Text, second.Data.Path, second.Training.From) = ([_run.In("other.txt")], _run.In("other"), _run.In("run"));
        Assert.Contains("another tokenizer", Assert.Throws<InvalidInputException>(() => TinyRun.Train(second)).Message, StringComparison.Ordinal);

        (second.Tokenizer.Kind, second.Tokenizer.Path, second.Data.Path) = (TokenizerKind.File, _run.Checkpoint(10), _run.In("other-2"));
        Assert.Equal(10, TinyRun.Train(second).State.Step);
    }

    public void Dispose() => _run.Dispose();

    private static List<float> Weights(string checkpoint)
    {
        using var file = Checkpoints.SafetensorsFile.Open(Path.Combine(checkpoint, "model.safetensors"));
        var weights = new List<float>();
        foreach (var name in file.Names)
        {
            using var tensor = Checkpoints.SafetensorsTensors.ToTensor(file, name);
            weights.AddRange(tensor.data<float>().ToArray());
        }

        return weights;
    }

    private void Refused(Action<TrainingConfiguration> change, string fragment)
    {
        var configuration = _run.Configuration("new");
        configuration.Training.From = _run.In("run");
        change(configuration);
        var e = Assert.Throws<InvalidInputException>(() => TinyRun.Train(configuration));
        Assert.Contains(fragment, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }
}
