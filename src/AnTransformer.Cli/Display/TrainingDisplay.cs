using AnTransformer.Training.Loop;
using AnTransformer.Training.Runs;
using Spectre.Console;

namespace AnTransformer.Cli.Display;

/// <summary>Shows a run on standard error, so that standard output carries results only.</summary>
internal abstract class TrainingDisplay : ITrainingListener, IDisposable
{
    /// <summary>A live table on a terminal, plain lines elsewhere.</summary>
    public static TrainingDisplay Create()
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Profile.Out.IsTerminal && console.Profile.Capabilities.Ansi
            ? new LiveTrainingDisplay(console)
            : new PlainTrainingDisplay(Console.Error);
    }

    public abstract void OnMessage(string message);

    public abstract void OnWarning(string message);

    public abstract void OnProgress(string task, double share, string detail);

    public abstract void OnStart(TrainingPlan plan, TrainerState state, double matmulRate);

    public abstract void OnStep(StepReport report);

    public abstract void OnEvaluation(long step, EvaluationResult result, bool isBest);

    public virtual void Dispose()
    {
    }
}
