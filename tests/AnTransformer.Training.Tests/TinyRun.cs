using AnTransformer.Checkpoints;
using AnTransformer.Optimization;
using AnTransformer.Training.Configuration;
using AnTransformer.Training.Loop;
using AnTransformer.Training.Runs;

namespace AnTransformer.Training.Tests;

/// <summary>A run of seconds in a temporary directory.</summary>
internal sealed class TinyRun : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public TinyRun()
        => File.WriteAllText(In("text.txt"), string.Concat(Enumerable.Range(0, 3000).Select(i => $"line {i} says {i * 7 % 13}.\n")));

    public string In(params string[] parts) => Path.Combine([_folder.Path, .. parts]);

    public TrainingConfiguration Configuration(string output = "run") => new()
    {
        Model = { HiddenSize = 32, NumAttentionHeads = 2, NumHiddenLayers = 2, MaxPositionEmbeddings = 32 },
        Data = { Text = [In("text.txt")], Path = In("data"), SectionBytes = 1024, ValidationFraction = 0.1 },
        Tokenizer = { Kind = TokenizerKind.Bytes },
        Schedule = { Kind = ScheduleKind.Constant },
        Training = { Steps = 10, BatchSize = 4, Output = In(output) },
        Evaluation = { Interval = 0, Batches = 1 },
        Logging = { Interval = 1, Plot = false, Tensorboard = false },
    };

    /// <summary>The directory of a step's checkpoint.</summary>
    public string Checkpoint(long step, string output = "run") => In(output, "checkpoints", $"step-{step:d8}");

    /// <summary>
    /// Weights and moments of a step's checkpoint. Not the generator's state, which LibTorch has once a process: another test that
    /// trains meanwhile may have seeded it (<see cref="GeneratorStateTests"/>, which runs alone, covers it).
    /// </summary>
    public byte[] Bytes(long step, string output = "run")
    {
        using var moments = SafetensorsFile.Open(Path.Combine(Checkpoint(step, output), "optimizer.safetensors"));
        return [.. File.ReadAllBytes(Path.Combine(Checkpoint(step, output), "model.safetensors")),
            .. moments.Names.Where(name => name != "rng_state").SelectMany(name => moments.GetBytes(name).ToArray())];
    }

    /// <summary>Changes a text within the configuration that a checkpoint was saved with.</summary>
    public void EditSaved(long step, string before, string after)
    {
        var path = Path.Combine(Checkpoint(step), "training_config.yaml");
        var text = File.ReadAllText(path);
        Assert.Contains(before, text, StringComparison.Ordinal);
        File.WriteAllText(path, text.Replace(before, after, StringComparison.Ordinal));
    }

    public static TrainingOutcome Train(TrainingConfiguration configuration, TinyListener? listener = null, bool further = false)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        listener ??= new TinyListener();
        listener.Stop = stop;
        return TrainingRun.Run(configuration, listener, stop.Token, further);
    }

    public void Dispose() => _folder.Dispose();
}

/// <summary>Remembers what it hears, and can stop a run after a step.</summary>
internal sealed class TinyListener : ITrainingListener
{
    public CancellationTokenSource? Stop { get; set; }

    public long StopAfter { get; init; } = -1;

    /// <summary>What to do after a step.</summary>
    public Action<StepReport>? AfterStep { get; init; }

    public List<string> Messages { get; } = [];

    public List<StepReport> Reports { get; } = [];

    public void OnMessage(string message) => Messages.Add(message);

    public void OnWarning(string message) => Messages.Add(message);

    public void OnProgress(string task, double share, string detail)
    {
    }

    public void OnStart(TrainingPlan plan, TrainerState state, double matmulRate)
    {
    }

    public void OnStep(StepReport report)
    {
        Reports.Add(report);
        AfterStep?.Invoke(report);
        if (report.Step == StopAfter)
            Stop?.Cancel();
    }

    public void OnEvaluation(long step, EvaluationResult result, bool isBest)
    {
    }
}
