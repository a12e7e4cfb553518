using System.Runtime.Intrinsics.X86;

namespace AnTransformer.Cli.Tests;

/// <summary>A run given in place of a configuration, weights given to a new one, and what <c>info</c> tells of them.</summary>
public sealed class TrainFurtherTests : IDisposable
{
    private readonly Angpt _angpt = new();

    [Fact]
    public void A_finished_run_given_by_its_directory_is_trained_further()
    {
        string[] constant = ["--schedule.kind", "constant", "--evaluation.interval", "0", "--evaluation.sample_prompt", "null"];
        _angpt.Train([.. constant, "--training.steps", "12", "--training.output", "whole"]).AssertSucceeded();
        _angpt.Train(constant).AssertSucceeded();
        var further = _angpt.Run("train", "run", "--steps", "12", "--json").AssertSucceeded();
        Assert.Equal(12, further.Json.GetProperty("step").GetInt64());
        Assert.Contains("over 12 steps", further.Error, StringComparison.Ordinal);
        Assert.Equal(_angpt.Losses("whole"), _angpt.Losses());
        Assert.Contains("angpt train run --steps N", _angpt.Run("train", "run").AssertSucceeded().Output, StringComparison.Ordinal);

        _angpt.Run("train", "run", "--steps", "3").AssertRejected("12 steps already");
        _angpt.Run("train", "run", "--learning-rate", "0.5").AssertRejected("optimizer.learning_rate");
        _angpt.Train("--training.steps", "20").AssertRejected("training.steps: 12 → 20", "angpt train RUN");
        _angpt.Run("train", "data").AssertRejected("data", "without a run");
        _angpt.Run("train", Path.Combine("run", "checkpoints", "step-00000012")).AssertRejected("is a checkpoint", "--from");
    }

    [Fact]
    public void A_new_run_starts_from_the_weights_of_another()
    {
        _angpt.Train().AssertSucceeded();
        var result = _angpt.Train("--training.output", "new", "--from", "run", "--training.steps", "3", "--json").AssertSucceeded();
        Assert.Equal(3, result.Json.GetProperty("step").GetInt64());
        Assert.Contains("starting with the weights of run", result.Error, StringComparison.Ordinal);
        Assert.True(_angpt.Losses("new")[1] < _angpt.Losses()[1], "the first loss of trained weights");
        _angpt.Train("--training.output", "other", "--from", "run", "--model.hidden_size", "64").AssertRejected("hidden_size 32 there, 64 here");
        Assert.Contains("training.from ", _angpt.Run("info", "new").AssertSucceeded().Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Info_tells_what_a_run_used()
    {
        _angpt.Train("--model.architecture", "gpt", "--training.threads", "1").AssertSucceeded();
        var info = _angpt.Run("info", "run", "--json").AssertSucceeded().Json;
        Assert.Equal((6, "fp32"), (info.GetProperty("step").GetInt64(), Setting("training.compute_dtype").GetString()));
        Assert.Equal(1, Setting("schedule.warmup_steps").GetInt64());
        Assert.Equal((1, 0.1), (Setting("optimizer.gradient_clipping").GetDouble(), Setting("optimizer.weight_decay").GetDouble()));
        Assert.Equal((0, 0), (Setting("optimizer.spectral_clip").GetDouble(), Setting("optimizer.width_exponent").GetDouble()));
        Assert.Equal(("data", 4, 6), (Setting("data.path").GetString(), Setting("training.batch_size").GetInt32(), Setting("training.steps").GetInt64()));
        Assert.False(info.GetProperty("settings").TryGetProperty("model.alpha_init", out _), "gpt has no alpha");
        var session = Assert.Single(info.GetProperty("sessions").EnumerateArray()).GetProperty("environment");
        Assert.Equal((1, "cpu"), (session.GetProperty("threads").GetInt32(), session.GetProperty("device").GetString()));

        // A run of an older version says that it does not know, rather than what a default is today.
        var saved = _angpt.In("run", "checkpoints", "step-00000006", "training_config.yaml");
        File.WriteAllText(saved, File.ReadAllText(saved).Replace("weight_decay: 0.1", "weight_decay: null", StringComparison.Ordinal));
        info = _angpt.Run("info", "run", "--json").AssertSucceeded().Json;
        Assert.Contains("not recorded", Setting("optimizer.weight_decay").GetString(), StringComparison.Ordinal);
        _angpt.Run("train", "run").AssertRejected("training_config.yaml", "optimizer.weight_decay: 0.1");

        // A configuration tells what it would use.
        info = _angpt.Run("info", "configs/quickstart.yaml", "--json").AssertSucceeded().Json;
        Assert.InRange(Setting("model.alpha_init").GetDouble(), 0.05, 0.2);

        System.Text.Json.JsonElement Setting(string key) => info.GetProperty("settings").GetProperty(key);
    }

    [Fact]
    public void Going_on_with_other_instructions_is_said_once_and_is_no_error()
    {
        Assert.SkipUnless(Avx2.IsSupported, "There is nothing to switch off.");
        _angpt.Train("--training.steps", "6").AssertSucceeded();
        _angpt.Variables["DOTNET_EnableAVX2"] = "0";
        var elsewhere = _angpt.Run("train", "run", "--steps", "9").AssertSucceeded();
        Assert.Single(elsewhere.Error.Split('\n'), line => line.Contains("bits may differ", StringComparison.Ordinal));
        Assert.Contains("instruction set", elsewhere.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("bits may differ", _angpt.Run("train", "run", "--steps", "12").AssertSucceeded().Error, StringComparison.Ordinal);
        var sessions = _angpt.Run("info", "run", "--json").AssertSucceeded().Json.GetProperty("sessions").EnumerateArray().ToList();
        Assert.Equal([0L, 6L], sessions.Select(session => session.GetProperty("from_step").GetInt64()));
    }

    public void Dispose() => _angpt.Dispose();
}
