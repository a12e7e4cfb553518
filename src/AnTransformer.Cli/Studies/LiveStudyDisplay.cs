using AnTransformer.Studies.Running;
using Spectre.Console;

namespace AnTransformer.Cli.Studies;

/// <summary>
/// Bars that are redrawn in place, one for the study and one for each run under way, with messages scrolling above.
/// </summary>
internal sealed class LiveStudyDisplay : StudyDisplay
{
    private static readonly TimeSpan Frame = TimeSpan.FromMilliseconds(300);
    private readonly IAnsiConsole _console;
    private readonly ManualResetEventSlim _done = new();
    private readonly Lock _gate = new();
    private readonly List<string> _messages = [];
    private StudyProgress? _progress;
    private Thread? _thread;

    public LiveStudyDisplay(IAnsiConsole console) => _console = console;

    public override void OnMessage(string message)
    {
        lock (_gate)
            _messages.Add(Markup.Escape(Printable.Line(message)));
    }

    public override void OnWarning(string message)
    {
        lock (_gate)
            _messages.Add($"[yellow]warning:[/] {Markup.Escape(Printable.Line(message))}");
    }

    public override void OnProgress(StudyProgress progress)
    {
        lock (_gate)
            _progress = progress;
        if (_thread is not null)
            return;
        // Not before the runs begin: the preparation of data prints lines of its own.
        _thread = new Thread(Draw) { IsBackground = true };
        _thread.Start();
    }

    public override void Dispose()
    {
        _done.Set();
        _thread?.Join();
        foreach (var message in _messages)
            _console.MarkupLine(message);
        _messages.Clear();
        base.Dispose();
    }

    private static Table Render(StudyProgress progress)
    {
        var table = new Table().RoundedBorder().HideHeaders().AddColumn("").AddColumn("");
        table.AddRow(new Text(Summary(progress)), Bar(progress.Share));
        foreach (var run in progress.Current)
            table.AddRow(new Text(Describe(run)), Bar((double)run.Step / run.Steps));
        return table;
    }

    private static Markup Bar(double share)
    {
        const int width = 30;
        var filled = (int)(Math.Clamp(share, 0, 1) * width);
        return new Markup($"[green]{new string('━', filled)}[/][grey]{new string('━', width - filled)}[/] {share:p0}");
    }

    private void Draw()
        => _console.Live(new Text("")).AutoClear(true).Start(live =>
        {
            do
            {
                lock (_gate)
                {
                    foreach (var message in _messages)
                        _console.MarkupLine(message);
                    _messages.Clear();
                    live.UpdateTarget(Render(_progress!));
                }

                live.Refresh();
            }
            while (!_done.Wait(Frame));
        });
}
