using System.Diagnostics;
using AnTransformer.Studies.Running;

namespace AnTransformer.Cli.Studies;

/// <summary>A line per finished run and one a minute, for logs and pipes.</summary>
internal sealed class PlainStudyDisplay(TextWriter output) : StudyDisplay
{
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);
    private readonly Stopwatch _sinceProgress = Stopwatch.StartNew();
    private int _done = -1;

    public override void OnMessage(string message) => output.WriteLine(Printable.Line(message));

    public override void OnWarning(string message) => output.WriteLine("warning: " + Printable.Line(message));

    public override void OnProgress(StudyProgress progress)
    {
        if (progress.Done == _done && _sinceProgress.Elapsed < Pause)
            return;
        _done = progress.Done;
        _sinceProgress.Restart();
        output.WriteLine(string.Join("; ", progress.Current.Select(Describe).Prepend(Summary(progress))));
    }
}
