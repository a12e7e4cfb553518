using System.Diagnostics;
using AnTransformer.Training.Loop;
using AnTransformer.Training.Runs;

namespace AnTransformer.Cli.Display;

/// <summary>One line per report, for logs and pipes; rare enough not to flood them.</summary>
internal sealed class PlainTrainingDisplay(TextWriter output) : TrainingDisplay
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);
    private readonly Stopwatch _sinceProgress = Stopwatch.StartNew();
    private readonly Stopwatch _sinceStep = Stopwatch.StartNew();

    public override void OnMessage(string message) => output.WriteLine(Printable.Line(message));

    public override void OnWarning(string message) => output.WriteLine("warning: " + Printable.Line(message));

    public override void OnProgress(string task, double share, string detail)
    {
        if (_sinceProgress.Elapsed < Pause)
            return;
        output.WriteLine(Printable.Line($"{task}: {share:p0} {detail}".TrimEnd()));
        _sinceProgress.Restart();
    }

    public override void OnStart(TrainingPlan plan, TrainerState state, double matmulRate)
    {
        output.WriteLine(Figures.Describe(plan));
        output.WriteLine($"matrix products run at {Figures.Count(matmulRate)}FLOP/s here");
    }

    public override void OnStep(StepReport report)
    {
        if (_sinceStep.Elapsed < Pause && report.Step != 1 && report.Step != report.Steps)
            return;
        output.WriteLine(
            $"step {report.Step}/{report.Steps}  loss {report.Loss:f4}  lr {report.LearningRate:0.00e+0}  grad norm "
                + $"{report.GradientNorm:f3}  "
            + $"{Figures.Count(report.TokensPerSecond)} tokens/s ({report.MatmulFraction:p0} of matmul)  "
            + $"elapsed {Figures.Time(report.Elapsed)}  left {Figures.Time(report.Remaining)}");
        _sinceStep.Restart();
    }

    public override void OnEvaluation(long step, EvaluationResult result, bool isBest)
        => output.WriteLine(
            $"step {step}  val loss {result.Loss:f4}  {Figures.BesideLoss(result)}{(isBest ? "  (best)" : "")}");
}
