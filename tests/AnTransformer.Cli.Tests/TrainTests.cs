using System.Text.Json;

namespace AnTransformer.Cli.Tests;

public sealed class TrainTests : IDisposable
{
    private readonly Angpt _angpt = new();

    public static TheoryData<string> Architectures => new("gpt", "gpt+", "ngpt", "angpt");

    [Theory]
    [MemberData(nameof(Architectures))]
    public void A_run_learns_and_leaves_everything_a_user_needs(string architecture)
    {
        var result = _angpt.Train("--model.architecture", architecture, "--training.steps", "40", "--evaluation.interval", "20",
            "--schedule.warmup_steps", "0", "--evaluation.sample_prompt", "It is", "--json").AssertSucceeded().Json;
        var losses = _angpt.Losses();
        Assert.Equal(40, losses.Count);
        Assert.True(losses[40] < losses[1] - 0.1, $"{losses[1]} to {losses[40]}");
        Assert.Equal("completed", result.GetProperty("status").GetString());
        Assert.InRange(result.GetProperty("bits_per_byte").GetDouble(), 0.1, 10);
        Assert.StartsWith("It is", result.GetProperty("sample").GetString(), StringComparison.Ordinal);
        Assert.True(new FileInfo(_angpt.In("run", "loss.png")).Length > 1000);
        Assert.True(new FileInfo(_angpt.In("run", "loss.svg")).Length > 1000);
        Assert.NotEmpty(Directory.GetFiles(_angpt.In("run", "tensorboard")));
        var checkpoint = result.GetProperty("checkpoint").GetString()!;
        string[] files = ["config.json", "model.safetensors", "tokenizer.json", "optimizer.safetensors", "trainer_state.json", "training_config.yaml"];
        Assert.All(files, file => Assert.True(File.Exists(Path.Combine(checkpoint, file)), file));
        Assert.DoesNotContain(Directory.GetFileSystemEntries(_angpt.In("run", "checkpoints")), entry => Path.GetFileName(entry).Contains("tmp", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Grouped_queries_heads_of_another_size_and_a_tied_head_train_resume_and_write(string architecture)
    {
        string[] run =
        [
            "--model.architecture", architecture, "--model.num_key_value_heads", "1", "--model.head_dim", "12",
            "--model.tie_word_embeddings", "true", "--schedule.warmup_steps", "0", "--schedule.kind", "constant",
        ];
        _angpt.Train([.. run, "--training.steps", "4"]).AssertSucceeded();
        _angpt.Run("train", "run", "--steps", "8").AssertSucceeded();
        _angpt.Train([.. run, "--training.steps", "8", "--training.output", "whole"]).AssertSucceeded();
        Assert.Equal(_angpt.Losses("whole"), _angpt.Losses());
        var model = _angpt.Run("info", "run", "--json").AssertSucceeded().Json;
        Assert.Equal(1, model.GetProperty("key_value_heads").GetInt32());
        Assert.Equal(12, model.GetProperty("head_size").GetInt32());
        Assert.True(model.GetProperty("tied_embeddings").GetBoolean());
        var drawn = _angpt.Run("generate", "run", "--prompt", "the", "--max-tokens", "50", "--seed", "3").AssertSucceeded();
        Assert.StartsWith("the", drawn.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_by_lion_learns_and_states_lions_own_constants()
    {
        _angpt.Train("--optimizer.kind", "lion", "--optimizer.learning_rate", "1e-3", "--training.steps", "40").AssertSucceeded();
        var losses = _angpt.Losses();
        Assert.True(losses[40] < losses[1] - 0.1, $"{losses[1]} to {losses[40]}");
        var configuration = File.ReadAllText(_angpt.In("run", "config.yaml"));
        Assert.All(
            ["kind: lion", "beta1: 0.9", "beta2: 0.99", "spectral_clip: 1"],
            line => Assert.Contains($"\n  {line}\n", configuration, StringComparison.Ordinal));
    }

    [Fact]
    public void An_unknown_optimizer_is_refused_with_the_list_of_those_there_are()
    {
        var result = _angpt.Train("--optimizer.kind", "loin");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("must be one of adam, muon, lion, not 'loin'", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_seed_gives_the_same_losses_bit_for_bit_and_another_gives_others()
    {
        _angpt.Train().AssertSucceeded();
        _angpt.Train("--training.output", "again").AssertSucceeded();
        _angpt.Train("--training.output", "other", "--training.seed", "2").AssertSucceeded();
        Assert.Equal(_angpt.Losses(), _angpt.Losses("again"));
        Assert.NotEqual(_angpt.Losses(), _angpt.Losses("other"));
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void A_stopped_and_resumed_run_equals_one_that_was_not_bit_for_bit(string architecture)
    {
        string[] run = ["--model.architecture", architecture, "--training.steps", "200", "--evaluation.interval", "0", "--checkpoint.interval", "25"];
        _angpt.Train([.. run, "--training.output", "whole"]).AssertSucceeded();

        // Stop somewhere in the middle, wherever the signal arrives.
        var process = _angpt.Start(Angpt.TrainArguments([.. run, "--training.output", "parts"]));
        while (!process.HasExited && !Directory.Exists(_angpt.In("parts", "checkpoints", "step-00000025")))
            Thread.Sleep(5);
        Signals.Send(process, Signals.Interrupt);
        var stopped = Angpt.Wait(process);
        if (stopped.ExitCode != 0)
        {
            Assert.Equal(3, stopped.ExitCode);
            Assert.Contains("the same command goes on", stopped.Error, StringComparison.Ordinal);
        }

        _angpt.Train([.. run, "--training.output", "parts"]).AssertSucceeded();
        Assert.Equal(_angpt.Losses("whole"), _angpt.Losses("parts"));
        Assert.Equal(LastCheckpointBytes("whole"), LastCheckpointBytes("parts"));
    }

    [Fact]
    public void A_killed_run_goes_on_from_its_last_checkpoint()
    {
        string[] run = ["--training.steps", "120", "--evaluation.interval", "0", "--checkpoint.interval", "20"];
        _angpt.Train([.. run, "--training.output", "whole"]).AssertSucceeded();
        var process = _angpt.Start(Angpt.TrainArguments([.. run, "--training.output", "killed"]));
        while (!process.HasExited && !Directory.Exists(_angpt.In("killed", "checkpoints", "step-00000040")))
            Thread.Sleep(5);
        process.Kill();
        Angpt.Wait(process);
        _angpt.Train([.. run, "--training.output", "killed"]).AssertSucceeded();
        Assert.Equal(_angpt.Losses("whole"), _angpt.Losses("killed"));
    }

    [Fact]
    public void Gradient_accumulation_trains_as_the_large_batch_does()
    {
        _angpt.Train("--training.batch_size", "4").AssertSucceeded();
        _angpt.Train("--training.batch_size", "2", "--training.gradient_accumulation", "2", "--training.output", "micro").AssertSucceeded();
        var (whole, micro) = (_angpt.Losses(), _angpt.Losses("micro"));
        Assert.All(whole, item => Assert.Equal(item.Value, micro[item.Key], 1e-3));
    }

    [Fact]
    public void A_finished_run_is_not_trained_again()
    {
        _angpt.Train().AssertSucceeded();
        var weights = LastCheckpointBytes("run");
        Assert.Contains("complete already", _angpt.Train().AssertSucceeded().Output, StringComparison.Ordinal);
        Assert.Equal(weights, LastCheckpointBytes("run"));
    }

    [Fact]
    public void Old_checkpoints_go_and_the_best_stays()
    {
        _angpt.Train("--training.steps", "12", "--evaluation.interval", "2", "--checkpoint.keep_last", "2").AssertSucceeded();
        using var best = JsonDocument.Parse(File.ReadAllText(_angpt.In("run", "checkpoints", "best.json")));
        var kept = Directory.GetDirectories(_angpt.In("run", "checkpoints")).Select(Path.GetFileName).ToList();
        Assert.Contains("step-00000012", kept);
        Assert.Contains("step-00000010", kept);
        Assert.Contains(best.RootElement.GetProperty("checkpoint").GetString(), kept);
        Assert.InRange(kept.Count, 2, 3);
    }

    [Fact]
    public void A_diverging_run_ends_with_its_last_good_checkpoint_named()
    {
        var result = _angpt.Train("--optimizer.learning_rate", "1", "--model.architecture", "gpt", "--optimizer.gradient_clipping", "0",
            "--schedule.warmup_steps", "0", "--training.steps", "200", "--training.divergence_factor", "1.05", "--checkpoint.interval", "1");
        Assert.Equal(4, result.ExitCode);
        Assert.Contains("last good checkpoint", result.Error, StringComparison.Ordinal);
        Assert.Contains("step-", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_run_in_the_same_directory_is_kept_out()
    {
        var first = _angpt.Start(Angpt.TrainArguments("--training.steps", "100000", "--checkpoint.interval", "20", "--evaluation.interval", "0"));
        while (!first.HasExited && !Directory.Exists(_angpt.In("run", "checkpoints")))
            Thread.Sleep(20);
        _angpt.Train().AssertRejected("another run");
        first.Kill();
        Angpt.Wait(first);
    }

    [Fact]
    public void Resuming_with_another_configuration_is_refused()
    {
        _angpt.Train().AssertSucceeded();
        _angpt.Train("--optimizer.learning_rate", "0.5").AssertRejected("optimizer.learning_rate", "another configuration");
        _angpt.Train("--checkpoint.resume", "never").AssertRejected("already holds a run");
    }

    public void Dispose() => _angpt.Dispose();

    private byte[] LastCheckpointBytes(string run)
    {
        var last = Directory.GetDirectories(_angpt.In(run, "checkpoints")).Order(StringComparer.Ordinal).Last();
        return [.. File.ReadAllBytes(Path.Combine(last, "model.safetensors")), .. File.ReadAllBytes(Path.Combine(last, "optimizer.safetensors"))];
    }
}
