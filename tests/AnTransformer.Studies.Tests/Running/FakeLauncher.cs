using System.Text.Json;
using AnTransformer.Studies.Running;
using AnTransformer.Studies.Sharing;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Studies.Tests.Running;

/// <summary>Trains nothing: writes the metrics that a loss function gives, evaluated at every fourth of the steps.</summary>
internal sealed class FakeLauncher(Func<TrainingConfiguration, double, double> lossAtTokens) : IRunLauncher
{
    private readonly Lock _gate = new();
    private int _running;

    /// <summary>Configurations launched, in order.</summary>
    public List<TrainingConfiguration> Launched { get; } = [];

    public int MostAtOnce { get; private set; }

    /// <summary>Ends a run in another way than by completing; null to let it complete.</summary>
    public Func<TrainingConfiguration, RunExit?> Ending { get; set; } = _ => null;

    public TimeSpan Duration { get; set; }

    public Func<TrainingConfiguration, double> SecondsPerStep { get; set; } = _ => 0.1;

    /// <summary>Spoils what a run leaves, given its directory.</summary>
    public Action<TrainingConfiguration> AfterRun { get; set; } = _ => { };

    public RunExit Launch(string configurationPath, RunClaim claim, CancellationToken stop)
    {
        var configuration = ConfigurationBinder.Load<TrainingConfiguration>(configurationPath, []);
        lock (_gate)
        {
            Launched.Add(configuration);
            MostAtOnce = Math.Max(MostAtOnce, ++_running);
        }

        Thread.Sleep(Duration);
        lock (_gate)
            _running--;
        if (stop.IsCancellationRequested)
            return new RunExit(RunEnding.Stopped, "stopped");
        var exit = Ending(configuration);
        WriteMetrics(configuration, isWhole: exit is null);
        AfterRun(configuration);
        return exit ?? new RunExit(RunEnding.Completed);
    }

    private void WriteMetrics(TrainingConfiguration configuration, bool isWhole)
    {
        var perStep = (long)configuration.Training.BatchSize * configuration.Training.GradientAccumulation * configuration.Model.MaxPositionEmbeddings;
        var steps = configuration.Training.Steps ?? (configuration.Training.MaxTokens!.Value / perStep);
        var lines = Enumerable.Range(1, isWhole ? 4 : 2).Select(quarter =>
        {
            var step = Math.Max(1, steps * quarter / 4);
            return JsonSerializer.Serialize(new
            {
                step,
                tokens = step * perStep,
                val_loss = lossAtTokens(configuration, step * perStep),
                bits_per_byte = 1.0,
                elapsed_seconds = step * SecondsPerStep(configuration),
            });
        });
        var checkpoint = Directory.CreateDirectory(Path.Combine(configuration.Training.Output, "checkpoints", "step-00000001"));
        File.WriteAllText(Path.Combine(checkpoint.FullName, "model.safetensors"), "");
        File.WriteAllLines(Path.Combine(configuration.Training.Output, "metrics.jsonl"), lines);
    }
}
