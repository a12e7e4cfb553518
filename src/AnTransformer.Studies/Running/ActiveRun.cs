using System.Globalization;
using AnTransformer.Checkpoints;
using AnTransformer.Studies.Sharing;
using AnTransformer.Training.Configuration;
using AnTransformer.Training.Metrics;
using AnTransformer.Training.Runs;

namespace AnTransformer.Studies.Running;

/// <summary>A run under way: its job, its thread, and how far it is.</summary>
internal sealed class ActiveRun
{
    // A study that was killed leaves runs that still finish their step; the next session's must not fail for them.
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(100);

    private readonly string _metrics;
    private readonly string? _device;
    private readonly StudyOptions _options;
    private long? _firstStep;

    public ActiveRun(
        PlannedRun run, RunClaim claim, int slot, StudyDirectory directory, StudyOptions options, IRunLauncher launcher,
        CancellationToken stop)
    {
        (Run, Slot, _options) = (run, slot, options);
        _device = options.DeviceOf(slot);
        var root = directory.RunPath(run);
        _metrics = Path.Combine(root, "metrics.jsonl");
        Task = System.Threading.Tasks.Task.Factory.StartNew(
            () => Launch(root, claim, launcher, stop), CancellationToken.None, TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        Current = new CurrentRun(run.Name, 0, run.Plan.Steps, Loss: null);
    }

    public PlannedRun Run { get; }

    public int Slot { get; }

    public Task<RunExit> Task { get; }

    public CurrentRun Current { get; private set; }

    /// <summary>Operations done since this session began with the run.</summary>
    public double FlopsHere => (Current.Step - (_firstStep ?? Current.Step)) * FlopsPerStep;

    public double FlopsDone => Current.Step * FlopsPerStep;

    private double FlopsPerStep => Run.Flops / Run.Plan.Steps;

    /// <summary>Looks into the run's metrics.</summary>
    public void Refresh()
    {
        try
        {
            var records = MetricsLog.Read(_metrics);
            if (records.Count == 0)
                return;
            _firstStep ??= records[^1].Step <= 1 ? 0 : records[^1].Step;
            Current = Current with
            {
                Step = records[^1].Step,
                Loss = records.LastOrDefault(record => record.Loss is not null)?.Loss,
            };
        }
        catch (InvalidInputException)
        {
            // A display only: the run itself will complain about its damaged log.
        }
    }

    /// <summary>The run's result when it has come to an end that counts, else null.</summary>
    public RunResult? Result(RunExit exit)
        => exit.Ending is RunEnding.Completed or RunEnding.Diverged
            ? ResultCollector.Collect(Run, _metrics, exit, _device ?? Run.Configuration.Training.Device, _options.Jobs)
            : null;

    private RunExit Launch(string root, RunClaim claim, IRunLauncher launcher, CancellationToken stop)
    {
        var end = DateTime.UtcNow + LongestWait;
        while (RunDirectory.IsInUse(root) && DateTime.UtcNow < end)
        {
            if (stop.WaitHandle.WaitOne(BetweenLooks))
                return new RunExit(RunEnding.Stopped, "stopped on request");
        }

        var configuration = Path.Combine(root, RunDirectory.ConfigurationFile);
        AtomicFile.WriteAllText(configuration, ConfigurationBinder.Write(Resolve(root)));
        return launcher.Launch(configuration, claim, stop);
    }

    private TrainingConfiguration Resolve(string root)
    {
        var threads = Run.Configuration.Training.Threads is > 0 and var given ? given : _options.ThreadsPerJob;
        return ConfigurationBinder.Parse<TrainingConfiguration>(
            // With every default resolved: what is trained is what the study says, whatever the version that the run's
            // process is of.
            ConfigurationBinder.Write(ResolvedConfiguration.Of(Run.Configuration)),
            Run.Name,
            [
                ("training.output", Path.GetRelativePath(Environment.CurrentDirectory, root)),
                ("training.threads", threads.ToString(CultureInfo.InvariantCulture)),
                ("training.device", _device ?? Run.Configuration.Training.Device),
            ]);
    }
}
