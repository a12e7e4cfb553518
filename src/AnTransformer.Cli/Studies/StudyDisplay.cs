using AnTransformer.Cli.Display;
using AnTransformer.Studies.Running;
using AnTransformer.Training.Loop;
using Spectre.Console;

namespace AnTransformer.Cli.Studies;

/// <summary>Shows a study on standard error, so that standard output carries results only.</summary>
internal abstract class StudyDisplay : IStudyListener, IDisposable
{
    private readonly TrainingDisplay _preparation = new PlainTrainingDisplay(Console.Error);

    public ITrainingListener Preparation => _preparation;

    /// <summary>A live table on a terminal, plain lines elsewhere.</summary>
    public static StudyDisplay Create()
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Profile.Out.IsTerminal && console.Profile.Capabilities.Ansi
            ? new LiveStudyDisplay(console)
            : new PlainStudyDisplay(Console.Error);
    }

    public abstract void OnMessage(string message);

    public abstract void OnWarning(string message);

    public abstract void OnProgress(StudyProgress progress);

    public void OnRunEnded(PlannedRun run, RunResult? result, RunExit exit)
    {
        if (exit.Ending == RunEnding.Failed)
            OnWarning($"{run.Name} failed: {exit.Message}");
        else if (result is null)
            OnMessage($"{run.Name} stopped");
        else if (result.Status == RunEnding.Diverged)
            OnMessage($"{run.Name}  diverged at step {result.Steps}");
        else
            OnMessage(
                $"{run.Name}  val loss {result.ValLoss:f4}  {Time(result.Seconds)}  "
                    + $"{Figures.Count(result.TokensPerSecond)} tokens/s");
    }

    public virtual void Dispose() => _preparation.Dispose();

    private static string Time(double seconds) => Figures.Time(TimeSpan.FromSeconds(seconds));

    protected static string Summary(StudyProgress progress)
        => $"{progress.Done}/{progress.Total} runs, {progress.Share:p0} of the work, "
            + $"{(progress.Remaining is { } left ? Figures.Time(left) : "unknown time")} left";

    protected static string Describe(CurrentRun run)
        => $"{run.Name}  step {run.Step}/{run.Steps}" + (run.Loss is { } loss ? $"  loss {loss:f4}" : "");
}
