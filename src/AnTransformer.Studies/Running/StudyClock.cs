using System.Diagnostics;

namespace AnTransformer.Studies.Running;

/// <summary>Estimates the time that a study has left from the work left and the rate so far.</summary>
internal sealed class StudyClock(int jobs)
{
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private double _endedFlops;

    /// <summary>Takes in a run that has ended.</summary>
    public void Ended(ActiveRun run) => _endedFlops += run.FlopsHere;

    public StudyProgress Progress(
        StudyAgenda agenda, IReadOnlyDictionary<string, RunResult> results, IReadOnlyCollection<ActiveRun> active)
    {
        var done = agenda.Runs.Where(run => results.ContainsKey(run.Name)).ToList();
        var doneFlops = done.Sum(run => run.Flops) + active.Sum(run => run.FlopsDone);
        var total = agenda.Runs.Sum(run => run.Flops) + agenda.Later.Sum();
        var here = _endedFlops + active.Sum(run => run.FlopsHere);
        var rate = here > 0 ? here / _watch.Elapsed.TotalSeconds : EarlierRate(results.Values);
        TimeSpan? remaining = rate > 0 ? TimeSpan.FromSeconds(Math.Min((total - doneFlops) / rate, 1e9)) : null;
        return new StudyProgress(
            done.Count,
            agenda.Runs.Count + agenda.Later.Count,
            total > 0 ? doneFlops / total : 1,
            remaining,
            active.Select(run => run.Current).ToList());
    }

    private double EarlierRate(IEnumerable<RunResult> results)
    {
        var (flops, seconds) = results.Aggregate(
            (0.0, 0.0), (sum, result) => (sum.Item1 + result.Flops, sum.Item2 + result.Seconds));
        return seconds > 0 ? jobs * flops / seconds : 0;
    }
}
