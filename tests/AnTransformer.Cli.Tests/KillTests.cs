using System.Diagnostics;

namespace AnTransformer.Cli.Tests;

/// <summary>
/// Ranks and workers that are killed at random, fifty times each: minutes, so they run when asked for
/// (<c>-explicit only -class '*KillTests'</c>).
/// </summary>
public sealed class KillTests : IDisposable
{
    private const int Kills = 50;
    private readonly Angpt _angpt = new();
    private readonly Random _random = new(1);

    [Fact(Explicit = true)]
    public async Task A_job_whose_ranks_are_killed_ends_with_the_weights_of_an_undisturbed_one()
    {
        _angpt.Variables["TERM"] = "dumb";
        string[] Arguments(string output) => Angpt.TrainArguments(
            "--training.steps", "2500", "--checkpoint.interval", "20", "--evaluation.interval", "0",
            "--logging.interval", "100", "--training.threads", "1", "--training.output", output);
        _angpt.Run(["launch", "-n", "2", "--", .. Arguments("undisturbed")]).AssertSucceeded();
        var process = _angpt.Start(["launch", "-n", "2", "--restarts", "1000", "--", .. Arguments("killed")]);
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var killed = 0;
        var (folder, newest) = (_angpt.In("killed", "checkpoints"), "");
        while (!process.HasExited && killed < Kills)
        {
            Signals.WaitFor(process, () => Newest(folder) is { Length: > 0 } name && name != newest);
            newest = Newest(folder);
            Thread.Sleep(_random.Next(500));
            killed += Kill(words => words.Contains("train") && !words.Contains("launch") && words.Contains("killed"));
        }

        process.WaitForExit();
        Assert.True(process.ExitCode == 0, await error);
        Assert.Equal(Kills, killed);
        byte[] Weights(string run) => File.ReadAllBytes(_angpt.In(run, "checkpoints", "step-00002500", "model.safetensors"));
        Assert.True(Weights("killed").AsSpan().SequenceEqual(Weights("undisturbed")));
    }

    [Fact(Explicit = true)]
    public void A_study_whose_workers_are_killed_ends_with_the_runs_of_one_worker()
    {
        File.WriteAllText(_angpt.In("study.yaml"), """
            base:
              model: {hidden_size: 32, num_attention_heads: 2, num_hidden_layers: 1, max_position_embeddings: 32}
              data: {text: [corpus.txt], path: data, section_bytes: 512, validation_fraction: 0.2}
              tokenizer: {vocab_size: 300}
              training: {max_tokens: 256000, batch_size: 4, threads: 1}
              evaluation: {interval: 500, batches: 2}
              checkpoint: {interval: 50}
            sides: [gpt+, angpt]
            learning_rates: [1e-3, 3e-3]
            max_extensions: 0
            seeds: [1, 2]

            """);
        string[] Study(string output) => ["compare", "study.yaml", "--worker-timeout", "5", "--output", output];
        _angpt.Run(Study("alone")).AssertSucceeded();
        var workers = new List<Process>();
        for (var killed = 0; killed < Kills; killed++)
        {
            while (workers.Count < 3)
                workers.Add(Begin());
            Thread.Sleep(500 + _random.Next(2000));
            var victim = workers[_random.Next(workers.Count)];
            victim.Kill();
            workers.Remove(victim);
            workers.RemoveAll(worker => worker.HasExited);
        }

        workers.Add(Begin());
        foreach (var worker in workers)
        {
            worker.WaitForExit();
            Assert.Equal(0, worker.ExitCode);
        }

        Assert.Equal(Results("alone"), Results("shared"));

        Process Begin()
        {
            var worker = _angpt.Start(Study("shared"));
            _ = worker.StandardError.ReadToEndAsync(CancellationToken.None);
            _ = worker.StandardOutput.ReadToEndAsync(CancellationToken.None);
            return worker;
        }

        // All columns but those of time.
        List<string> Results(string study)
        {
            var rows = File.ReadLines(_angpt.In(study, "runs.csv")).Select(line => line.Split(',')).ToList();
            var kept = Enumerable.Range(0, rows[0].Length).Where(column => !rows[0][column].Contains("second", StringComparison.Ordinal)
                && rows[0][column] != "jobs").ToList();
            return [.. rows.Select(row => string.Join(',', kept.Select(column => row[column]))).Order(StringComparer.Ordinal)];
        }
    }

    public void Dispose() => _angpt.Dispose();

    private static string Newest(string checkpoints)
        => Directory.Exists(checkpoints)
            ? Directory.GetDirectories(checkpoints, "step-*").Select(path => Path.GetFileName(path)).Max() ?? ""
            : "";

    /// <summary>Kills a process of this test's folder, chosen at random; returns how many it has killed.</summary>
    private int Kill(Predicate<string[]> isMeant)
    {
        var found = _angpt.ProcessesHere(isMeant);
        if (found.Count == 0)
            return 0;
        found[_random.Next(found.Count)].Kill();
        return 1;
    }
}
