using AnTransformer.Training.Loop;
using AnTransformer.Training.Runs;
using Spectre.Console;

namespace AnTransformer.Cli.Display;

/// <summary>A table that is redrawn in place a few times a second, with messages scrolling above it.</summary>
internal sealed class LiveTrainingDisplay : TrainingDisplay
{
    private static readonly TimeSpan Frame = TimeSpan.FromMilliseconds(200);
    private readonly IAnsiConsole _console;
    private readonly ManualResetEventSlim _done = new();
    private readonly Thread _thread;
    private readonly Lock _gate = new();
    private readonly List<string> _messages = [];
    private string _task = "starting";
    private double _share;
    private StepReport? _report;
    private (long Step, EvaluationResult Result)? _evaluation;
    private volatile bool _changed = true;

    public LiveTrainingDisplay(IAnsiConsole console)
    {
        _console = console;
        _thread = new Thread(Draw) { IsBackground = true };
        _thread.Start();
    }

    public override void OnMessage(string message)
        => Change(() => _messages.Add(Markup.Escape(Printable.Line(message))));

    public override void OnWarning(string message)
        => Change(() => _messages.Add($"[yellow]warning:[/] {Markup.Escape(Printable.Line(message))}"));

    public override void OnProgress(string task, double share, string detail)
        => Change(() => (_task, _share) = ($"{task} {detail}".TrimEnd(), share));

    public override void OnStart(TrainingPlan plan, TrainerState state, double matmulRate)
    {
        OnMessage(Figures.Describe(plan));
        OnMessage($"matrix products run at {Figures.Count(matmulRate)}FLOP/s here");
    }

    public override void OnStep(StepReport report)
        => Change(() => (_report, _task, _share) = (report, "training", (double)report.Step / report.Steps));

    public override void OnEvaluation(long step, EvaluationResult result, bool isBest)
    {
        OnMessage($"step {step}  val loss {result.Loss:f4}  {Figures.BesideLoss(result)}{(isBest ? "  (best)" : "")}");
        Change(() => _evaluation = (step, result));
    }

    public override void Dispose()
    {
        _done.Set();
        _thread.Join();
        base.Dispose();
    }

    private void Change(Action change)
    {
        lock (_gate)
            change();
        _changed = true;
    }

    private void Draw()
        => _console.Live(new Text("")).AutoClear(true).Start(live =>
        {
            while (!_done.Wait(Frame))
                Refresh(live);
            Refresh(live);
        });

    private void Refresh(LiveDisplayContext live)
    {
        if (!_changed)
            return;
        _changed = false;
        lock (_gate)
        {
            foreach (var message in _messages)
                _console.MarkupLine(message);
            _messages.Clear();
            live.UpdateTarget(Render());
        }

        live.Refresh();
    }

    private Table Render()
    {
        const int width = 40;
        var filled = (int)(Math.Clamp(_share, 0, 1) * width);
        var table = new Table().RoundedBorder().HideHeaders().AddColumn("").AddColumn("");
        table.AddRow(
            new Text(_task),
            new Markup($"[green]{new string('━', filled)}[/][grey]{new string('━', width - filled)}[/] {_share:p0}"));
        if (_report is { } report)
        {
            Add("step", $"{report.Step} / {report.Steps}");
            Add("loss", $"{report.Loss:f4} nats per token");
            if (_evaluation is { } evaluation)
                Add(
                    "val loss",
                    $"{evaluation.Result.Loss:f4}, {Figures.BesideLoss(evaluation.Result)} (step {evaluation.Step})");
            Add("learning rate", $"{report.LearningRate:0.00e+0}");
            Add("gradient norm", $"{report.GradientNorm:f3}");
            Add(
                "speed",
                $"{Figures.Count(report.TokensPerSecond)} tokens/s, {report.MatmulFraction:p0} of the matrix-product "
                    + "rate");
            Add("time", $"{Figures.Time(report.Elapsed)} so far, {Figures.Time(report.Remaining)} left");
        }

        return table;

        void Add(string name, string value) => table.AddRow(new Text(name), new Text(value));
    }
}
