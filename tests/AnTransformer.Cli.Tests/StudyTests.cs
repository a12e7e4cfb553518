using System.Diagnostics;
using System.Text.Json;

namespace AnTransformer.Cli.Tests;

public sealed class StudyTests : IDisposable
{
    private const string Base = """
        base:
          model: {hidden_size: 32, num_attention_heads: 2, num_hidden_layers: 1, max_position_embeddings: 32}
          data: {text: [corpus.txt], path: data, section_bytes: 512, validation_fraction: 0.2}
          tokenizer: {vocab_size: 300}
          training: {max_tokens: 768, batch_size: 4}
          evaluation: {interval: 2, batches: 2}
          logging: {interval: 1}

        """;

    private static readonly string[] Comparison =
        ["compare", "study.yaml", "--sides", "gpt+,angpt", "--learning-rates", "1e-3,1e-2", "--max-extensions", "0", "--seeds", "1,2", "--jobs", "2"];

    private readonly Angpt _angpt = new();

    public StudyTests() => File.WriteAllText(_angpt.In("study.yaml"), Base);

    [Fact]
    public void A_comparison_leaves_its_report_and_a_second_invocation_trains_nothing()
    {
        var plan = _angpt.Run([.. Comparison, "--output", "study", "--dry-run", "--json"]).AssertSucceeded().Json;
        Assert.Equal(4, plan.GetProperty("open").GetInt32());
        Assert.Equal(2, plan.GetProperty("later").GetInt32());
        Assert.False(Directory.Exists(_angpt.In("study")));
        Assert.False(Directory.Exists(_angpt.In("data")));

        var result = _angpt.Run([.. Comparison, "--output", "study", "--json"]).AssertSucceeded().Json;
        Assert.True(result.GetProperty("complete").GetBoolean());
        Assert.Contains("angpt reaches gpt+'s loss", result.GetProperty("lead").GetString(), StringComparison.Ordinal);
        string[] files = ["runs.csv", "results.json", "report.html", "study.yaml", "plots/loss.png", "plots/learning-rate.svg"];
        Assert.All(files, file => Assert.True(new FileInfo(_angpt.In("study", file)).Length > 500, file));
        Assert.Equal(7, File.ReadLines(_angpt.In("study", "runs.csv")).Count());
        Assert.Empty(Directory.GetDirectories(_angpt.In("study"), "checkpoints", SearchOption.AllDirectories));

        var before = Directory.GetFiles(_angpt.In("study", "runs"), "*", SearchOption.AllDirectories).ToDictionary(path => path, File.GetLastWriteTimeUtc);
        var again = _angpt.Run([.. Comparison, "--output", "study"]).AssertSucceeded();
        Assert.Contains("angpt reaches gpt+'s loss", again.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("val loss", again.Error, StringComparison.Ordinal);
        Assert.All(before, item => Assert.Equal(item.Value, File.GetLastWriteTimeUtc(item.Key)));

        // What is finished is evaluated anew from the results alone, wherever it lies.
        var report = File.ReadAllText(_angpt.In("study", "results.json"));
        Directory.Delete(_angpt.In("data"), recursive: true);
        File.Delete(_angpt.In("corpus.txt"));
        File.Delete(_angpt.In("study", "results.json"));
        Directory.Move(_angpt.In("study"), _angpt.In("moved"));
        _angpt.Run([.. Comparison, "--output", "moved"]).AssertSucceeded();
        Assert.Equal(Findings(report), Findings(File.ReadAllText(_angpt.In("moved", "results.json"))));

        static string Findings(string json) => JsonDocument.Parse(json).RootElement.GetProperty("findings").GetRawText();
    }

    [Fact]
    public void A_study_stopped_or_killed_goes_on_to_the_same_results()
    {
        string[] study = ["compare", "study.yaml", "--sides", "angpt", "--reference", "angpt", "--learning-rates", "1e-3,1e-2", "--max-extensions", "0", "--seeds", "1,2",
            "--jobs", "2", "--set", "training.max_tokens=5120", "--set", "checkpoint.interval=5"];
        _angpt.Run([.. study, "--output", "whole"]).AssertSucceeded();
        Interrupt("stopped", signal: 15, exitCode: 3);
        Interrupt("killed", signal: 9, exitCode: 137);

        void Interrupt(string output, int signal, int exitCode)
        {
            var process = _angpt.Start([.. study, "--output", output]);
            WaitFor(process, () => Directory.Exists(_angpt.In(output, "runs")) && Directory.GetDirectories(_angpt.In(output, "runs"), "step-*", SearchOption.AllDirectories).Length > 0);
            Signals.Send(process, signal);
            Assert.Equal(exitCode, Angpt.Wait(process).ExitCode);
            // Runs that were under way with a checkpoint: what they have on record before it must still be there in the end. One that was
            // stopped before its first step is saved as well, and has nothing on record.
            var resumed = Directory.GetDirectories(_angpt.In(output, "runs")).Where(run => Directory.GetDirectories(run, "step-*", SearchOption.AllDirectories).Length > 0)
                .Select(run => (Path: run, First: File.ReadLines(Path.Combine(run, "metrics.jsonl")).FirstOrDefault())).Where(run => run.First is not null)
                .ToDictionary(run => run.Path, run => run.First);
            Assert.NotEmpty(resumed);

            _angpt.Run([.. study, "--output", output]).AssertSucceeded();
            Assert.Equal(Rows("whole"), Rows(output));
            Assert.All(resumed, run => Assert.Equal(run.Value, File.ReadLines(Path.Combine(run.Key, "metrics.jsonl")).First()));
        }
    }

    [Fact]
    public void Every_kind_of_study_runs()
    {
        string[] small = ["--seeds", "1", "--json"], steps = ["--set", "training.max_tokens=256"];
        Assert.Equal(2, Study("sweep", ["sweep", "study.yaml", "--fields", "[\"learning_rate=1e-3,1e-2\"]", .. small, .. steps]));
        string[] tuned = ["--learning-rates", "1e-2", "--max-extensions", "0", .. small];
        Assert.Equal(2, Study("batch", ["batch-size", "study.yaml", "--sides", "angpt", "--batch-sizes", "2,4", "--max-tokens", "256", .. tuned]));
        Assert.Equal(2, Study("ablate", ["ablate", "study.yaml", "--variants", "[\"no-qk-norm: model.qk_norm=false\"]", .. tuned, .. steps]));
        Assert.Equal(2, Study("scaling", ["scaling", "run", "study.yaml", "--sides", "gpt", "--sizes", "[\"d=16 heads=2\", \"d=32\"]", "--max-tokens", "256", .. tuned]));

        int Study(string output, string[] arguments)
        {
            var result = _angpt.Run([.. arguments, "--output", output, "--jobs", "2"]).AssertSucceeded().Json;
            Assert.True(File.Exists(_angpt.In(output, "report.html")));
            return result.GetProperty("runs").GetInt32();
        }
    }

    [Fact]
    public void A_run_that_fails_is_named_and_the_others_are_done()
    {
        string[] study = ["compare", "study.yaml", "--sides", "gpt+", "--learning-rates", "1e-3,1e-2", "--max-extensions", "0", "--seeds", "1", "--output", "study"];
        _angpt.Run(study).AssertSucceeded();
        // A directory where a run's metrics should be: that run cannot write.
        var run = Directory.GetDirectories(_angpt.In("study", "runs"))[0];
        Directory.Delete(run, recursive: true);
        Directory.CreateDirectory(Path.Combine(run, "metrics.jsonl"));
        var result = _angpt.Run(study);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains(Path.GetFileName(run) + " failed", result.Error, StringComparison.Ordinal);
        Directory.Delete(run, recursive: true);
        _angpt.Run(study).AssertSucceeded();
    }

    [Fact]
    public void Bad_input_is_refused_in_a_sentence_that_names_its_place()
    {
        _angpt.Run("compare", "missing.yaml").AssertRejected("missing.yaml", "no such file");
        _angpt.Run("compare", "study.yaml", "--output", "x", "--reference", "gtp").AssertRejected("--reference", "'gtp' is none of the sides");
        Assert.False(Directory.Exists(_angpt.In("data")));
        _angpt.Run("compare", "study.yaml", "--output", "x", "--sides", "gtp").AssertRejected("--sides", "'gtp' is no architecture");
        _angpt.Run("compare", "study.yaml", "--output", "x", "--set", "model.hidden_siz=3").AssertRejected("--set model.hidden_siz", "did you mean");
        _angpt.Run("compare", "study.yaml", "--output", "x", "--set", "learning_rate=3").AssertRejected("--set learning_rate", "use --learning-rates");
        _angpt.Run("compare", "study.yaml", "--output", "x", "--set", "model").AssertRejected("--set", "key=value");
        _angpt.Run("compare", "study.yaml", "--output", "x", "--max-token", "5").AssertRejected("unknown option '--max-token'", "did you mean '--max-tokens'");
        File.WriteAllText(_angpt.In("bad.yaml"), Base + "sides: [gpt+]\nseeds: [1, one]\n");
        _angpt.Run("compare", "bad.yaml").AssertRejected("bad.yaml:9:12", "'seeds' must be a whole number");
        File.WriteAllText(_angpt.In("bad.yaml"), Base.Replace("hidden_size", "hiden_size", StringComparison.Ordinal));
        _angpt.Run("sweep", "bad.yaml", "--fields", "[\"learning_rate=1,2\"]").AssertRejected("bad.yaml:2:11", "did you mean 'hidden_size'");
        _angpt.Run("compare", "study.yaml", "--base-config", "missing.yaml").AssertRejected("missing.yaml", "no such file");
    }

    public void Dispose() => _angpt.Dispose();

    /// <summary>The table without the columns of time.</summary>
    private List<string> Rows(string study)
        => File.ReadLines(_angpt.In(study, "runs.csv")).Select(row => string.Join(',', row.Split(',').Where((_, i) => i is not (14 or 15)))).ToList();

    private static void WaitFor(Process process, Func<bool> condition)
    {
        for (var i = 0; i < 3000 && !process.HasExited && !condition(); i++)
            Thread.Sleep(20);
    }
}
