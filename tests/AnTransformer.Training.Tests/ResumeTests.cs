using AnTransformer.Training.Configuration;
using AnTransformer.Training.Devices;
using AnTransformer.Training.Runs;

namespace AnTransformer.Training.Tests;

/// <summary>A run goes on as what it was begun as, whatever the defaults are by then.</summary>
public sealed class ResumeTests : IDisposable
{
    private readonly TinyRun _run = new();

    [Fact]
    public void A_run_writes_down_what_its_defaults_were()
    {
        TinyRun.Train(_run.Configuration());
        foreach (var file in new[] { _run.In("run", "config.yaml"), Path.Combine(_run.Checkpoint(10), "training_config.yaml") })
        {
            var saved = ConfigurationBinder.Load<TrainingConfiguration>(file, []);
            Assert.Empty(ResolvedConfiguration.Unresolved(saved));
            Assert.Equal((0.2, 1.0, 1.0, 0L), (saved.Model.AlphaInit, saved.Optimizer.SpectralClip, saved.Optimizer.WidthExponent, saved.Schedule.WarmupSteps));
        }
    }

    [Theory]
    [InlineData("adam")]
    [InlineData("muon")]
    [InlineData("lion")]
    public void By_every_rule_a_run_that_is_gone_on_with_is_the_run_that_was_not_stopped(string kind)
    {
        TinyRun.Train(Configuration("whole"));
        TinyRun.Train(Configuration("parts"), new TinyListener { StopAfter = 4 });
        TinyRun.Train(Configuration("parts"));
        Assert.Equal(_run.Bytes(10, "whole"), _run.Bytes(10, "parts"));

        TrainingConfiguration Configuration(string output)
        {
            var configuration = _run.Configuration(output);
            (configuration.Optimizer.Kind, configuration.Optimizer.SpectralClip) = (kind, 1);
            return configuration;
        }
    }

    /// <summary>Of a run that began when alpha started at another value, and of one whose rates did not depend on the width.</summary>
    [Theory]
    [InlineData("alpha_init: 0.2", "alpha_init: 0.05", "model.alpha_init: 0.05 → 0.2")]
    [InlineData("width_exponent: 1", "width_exponent: 0", "optimizer.width_exponent: 0 → 1")]
    public void A_default_that_has_changed_since_is_refused_by_its_difference(string now, string then, string difference)
    {
        TinyRun.Train(_run.Configuration());
        _run.EditSaved(10, now, then);
        var e = Assert.Throws<InvalidInputException>(() => TinyRun.Train(_run.Configuration()));
        Assert.Contains(difference, e.Message, StringComparison.Ordinal);
        Assert.Contains("another configuration", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
        // By the run's own configuration it goes on.
        Assert.Equal(10, TinyRun.Train(SavedRun.Load(_run.In("run"), []), further: true).State.Step);
    }

    /// <summary>Older versions left nulls in what they saved; config.json has always stated the model.</summary>
    [Fact]
    public void A_null_of_an_older_versions_model_is_what_config_json_states()
    {
        var begun = _run.Configuration();
        begun.Model.AlphaInit = 0.05;
        TinyRun.Train(begun);
        _run.EditSaved(10, "alpha_init: 0.05", "alpha_init: null");
        var e = Assert.Throws<InvalidInputException>(() => TinyRun.Train(_run.Configuration()));
        Assert.Contains("model.alpha_init: 0.05 → 0.2", e.Message, StringComparison.Ordinal);

        var own = SavedRun.Load(_run.In("run"), [("training.steps", "12")]);
        Assert.Equal(0.05, own.Model.AlphaInit);
        Assert.Equal(12, TinyRun.Train(own, further: true).State.Step);
        Assert.Contains("\"alpha_init\": 0.05", File.ReadAllText(Path.Combine(_run.Checkpoint(12), "config.json")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_null_of_an_older_versions_optimizer_cannot_be_known_and_is_to_be_stated()
    {
        TinyRun.Train(_run.Configuration());
        _run.EditSaved(10, "spectral_clip: 1", "spectral_clip: null");
        foreach (var attempt in new[] { _run.Configuration(), SavedRun.Load(_run.In("run"), [("training.steps", "12")]) })
        {
            var e = Assert.Throws<InvalidInputException>(() => TinyRun.Train(attempt, further: true));
            Assert.StartsWith(Path.Combine(_run.Checkpoint(10), "training_config.yaml"), e.Message, StringComparison.Ordinal);
            Assert.Contains("optimizer.spectral_clip: 1", e.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', e.Message);
        }

        _run.EditSaved(10, "spectral_clip: null", "spectral_clip: 1");
        Assert.Equal(TrainingStatus.Completed, TinyRun.Train(_run.Configuration()).Status);
    }

    [Fact]
    public void A_run_records_what_computed_it_and_says_when_bits_may_differ()
    {
        TinyRun.Train(_run.Configuration());
        var session = Assert.Single(TrainingCheckpoint.LoadState(_run.Checkpoint(10)).Sessions);
        Assert.Equal(0, session.FromStep);
        Assert.Equal(("cpu", "fp32"), (session.Environment.Device, session.Environment.ComputeDtype));
        Assert.InRange(session.Environment.VectorBits, 128, 512);
        Assert.True(session.Environment.Threads > 0);
        string[] texts =
        [
            session.Environment.Version, session.Environment.Kernels, session.Environment.InstructionSet, session.Environment.MatrixProducts,
            session.Environment.LibTorch, session.Environment.LibTorchInstructionSet,
        ];
        Assert.All(texts, text => Assert.NotEmpty(text));

        var state = Path.Combine(_run.Checkpoint(10), "trainer_state.json");
        File.WriteAllText(state, File.ReadAllText(state).Replace(
            $"\"instruction_set\": \"{session.Environment.InstructionSet}\"", "\"instruction_set\": \"avx1024\"", StringComparison.Ordinal));
        var listener = new TinyListener();
        TinyRun.Train(SavedRun.Load(_run.In("run"), [("training.steps", "12")]), listener, further: true);
        var note = Assert.Single(listener.Messages, message => message.Contains("bits may differ", StringComparison.Ordinal));
        Assert.Contains($"avx1024 → {session.Environment.InstructionSet}", note, StringComparison.Ordinal);
        Assert.Equal([0L, 10L], TrainingCheckpoint.LoadState(_run.Checkpoint(12)).Sessions.Select(item => item.FromStep));

        var silent = new TinyListener();
        TinyRun.Train(SavedRun.Load(_run.In("run"), [("training.steps", "14")]), silent, further: true);
        Assert.DoesNotContain(silent.Messages, message => message.Contains("bits may differ", StringComparison.Ordinal));
        Assert.Equal(2, TrainingCheckpoint.LoadState(_run.Checkpoint(14)).Sessions.Count);
    }

    [Fact]
    public void A_state_of_a_version_that_recorded_no_environment_is_read()
    {
        var path = _run.In("state.json");
        File.WriteAllText(path, "{\"step\": 3, \"sequences\": 12, \"tokens\": 384}");
        Assert.Empty(TrainerState.Load(path).Sessions);
        File.WriteAllText(path, "{\"step\": 3, \"sequences\": 12, \"sessions\": [null]}");
        Assert.Throws<InvalidInputException>(() => TrainerState.Load(path));
    }

    [Fact]
    public void Threads_and_builds_change_bits_only_where_LibTorch_computes()
    {
        var own = new ComputeEnvironment
        {
            Version = "1.0.0+abc",
            Device = "cpu",
            Kernels = "fused",
            ComputeDtype = "fp32",
            Threads = 2,
            InstructionSet = "avx512",
            VectorBits = 512,
            MatrixProducts = "own",
            LibTorch = "2.10",
            LibTorchInstructionSet = "avx512",
        };
        Assert.Null(own.DifferenceOfBits(own with { Threads = 16, Version = "1.0.0+def" }));
        Assert.Equal("version 1.0.0 → 1.1.0", own.DifferenceOfBits(own with { Version = "1.1.0" }));
        Assert.Equal("matrix products own → mkl", own.DifferenceOfBits(own with { MatrixProducts = "mkl" }));
        var mkl = own with { MatrixProducts = "mkl" };
        Assert.Equal("threads 2 → 16", mkl.DifferenceOfBits(mkl with { Threads = 16 }));
        var eager = own with { Kernels = "eager" };
        Assert.Equal("threads 2 → 16", eager.DifferenceOfBits(eager with { Threads = 16 }));
    }

    public void Dispose() => _run.Dispose();
}
