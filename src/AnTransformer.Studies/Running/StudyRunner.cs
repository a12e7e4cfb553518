using AnTransformer.Studies.Sharing;

namespace AnTransformer.Studies.Running;

/// <summary>
/// Carries out a study's runs, several at a time if asked to: skips what has a result, goes on with what was
/// interrupted, and asks the plan again after every run. Others may do the same in the same directory, on other hosts:
/// each run is one's who has claimed it.
/// </summary>
/// <param name="directory">The study's directory.</param>
/// <param name="launcher">Trains a run.</param>
/// <param name="options">How many at a time and where.</param>
/// <param name="listener">Hears what happens.</param>
public sealed class StudyRunner(
    StudyDirectory directory, IRunLauncher launcher, StudyOptions options, IStudyListener listener)
{
    // So many failures before the study has any result are no accident; the rest would fail the same way.
    private const int HopelessFailures = 3;

    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);
    private readonly Dictionary<string, RunResult> _results = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _failures = new(StringComparer.Ordinal);
    private readonly List<ActiveRun> _active = [];
    private readonly StudyClock _clock = new(options.Jobs);

    /// <summary>Runs whatever is not done yet.</summary>
    /// <param name="plan">What is wanted.</param>
    /// <param name="onResult">
    /// Called with everything known so far, at the start and after every result, to write tables. When it fails, the
    /// listener is warned and the runs go on.
    /// </param>
    /// <param name="stop">Stops the runs under way, which save a checkpoint.</param>
    /// <exception cref="InvalidInputException">
    /// The plan cannot be used, or an earlier session's result cannot be read.
    /// </exception>
    /// <exception cref="OperationCanceledException">Stopped before anything was run.</exception>
    public StudyOutcome Run(IStudyPlan plan, Action<StudyState> onResult, CancellationToken stop)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var shared = new SharedStudy(
            directory, SharedStudy.Digest(plan), options.WorkerTimeout, stop);
        try
        {
            var agenda = Ask(plan, CleanUp);
            Report(onResult, agenda);
            while (true)
            {
                var areOthersAtWork = StartNext(shared, agenda, end.Token);
                if (_active.Count == 0 && !areOthersAtWork)
                    return new StudyOutcome(State(agenda), stop.IsCancellationRequested);
                if (_active.Count == 0)
                    end.Token.WaitHandle.WaitOne(Tick);
                else
                    Task.WaitAny([.. _active.Select(run => run.Task)], Tick);
                _active.ForEach(run => run.Refresh());
                var ended = _active.Where(run => run.Task.IsCompleted).ToList();
                var known = _results.Count;
                ended.ForEach(run => Finish(shared, run, stop.IsCancellationRequested));
                if (areOthersAtWork || _results.Count > known)
                    agenda = Ask(plan, _ => { });
                if (_results.Count > known)
                    Report(onResult, agenda);

                listener.OnProgress(_clock.Progress(agenda, _results, _active));
            }
        }
        finally
        {
            // An exception on the way must not leave runs behind that nobody watches.
            end.Cancel();
            WaitForAll();
            _active.ForEach(run => shared.Release(run.Run));
        }
    }

    /// <summary>What is known without running anything.</summary>
    /// <param name="plan">What is wanted.</param>
    /// <exception cref="InvalidInputException">A result cannot be read.</exception>
    public StudyState Look(IStudyPlan plan) => State(Ask(plan, _ => { }));

    /// <summary>Asks the plan, with results of earlier sessions taken in.</summary>
    private StudyAgenda Ask(IStudyPlan plan, Action<PlannedRun> onFound)
        => KnownResults.Read(directory, plan, _results, onFound);

    private StudyState State(StudyAgenda agenda)
        => new(agenda, _results, new Dictionary<string, string>(_failures, StringComparer.Ordinal));

    /// <summary>Starts what is free for as long as there are jobs; true when other workers have runs to do.</summary>
    private bool StartNext(SharedStudy shared, StudyAgenda agenda, CancellationToken stop)
    {
        if ((_results.Count == 0 && _failures.Count >= HopelessFailures) || stop.IsCancellationRequested)
            return false;
        var areOthersAtWork = false;
        foreach (var run in agenda.Runs.DistinctBy(run => run.Name))
        {
            if (_results.ContainsKey(run.Name) || _failures.ContainsKey(run.Name)
                || _active.Exists(active => active.Run.Name == run.Name))
                continue;
            if (_active.Count >= options.Jobs)
                return areOthersAtWork;
            if (Claim(shared, run) is not { } claim)
            {
                areOthersAtWork |= !_failures.ContainsKey(run.Name);
                continue;
            }

            var slot = Enumerable.Range(0, options.Jobs).First(free => !_active.Exists(active => active.Slot == free));
            _active.Add(new ActiveRun(run, claim, slot, directory, options, launcher, stop));
        }

        return areOthersAtWork;
    }

    /// <summary>
    /// A run for this worker; null when another has it, or has just finished it, or it cannot be had.
    /// </summary>
    private RunClaim? Claim(SharedStudy shared, PlannedRun run)
    {
        try
        {
            // The other one's result may be there since the last look.
            return shared.TryClaim(run) is { } claim && directory.ReadResult(run) is null ? claim : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Fail(run, $"its directory cannot be written ({e.Message.TrimEnd('.')})");
            return null;
        }
    }

    private void Fail(PlannedRun run, string reason)
    {
        _failures[run.Name] = reason;
        listener.OnRunEnded(run, null, new RunExit(RunEnding.Failed, reason));
    }

    /// <summary>Takes in a run that has ended.</summary>
    private void Finish(SharedStudy shared, ActiveRun run, bool stopping)
    {
        _active.Remove(run);
        _clock.Ended(run);
        if (shared.HasLost(run.Run))
        {
            listener.OnWarning($"{run.Run.Name} was taken over by another worker, who saw no life here for too long");
            return;
        }

        var (result, exit) = Outcome(run);
        if (result is { Status: RunEnding.Completed } && !HasFinalEvaluation(run.Run, result, stopping))
            (result, exit) = (null, new RunExit(RunEnding.Failed, "it ended without its last evaluation"));
        if (result is not null)
            (result, exit) = Save(run.Run, result!, exit);
        // What ends badly while everything is being stopped was stopped, too, such as a process that Ctrl-C reached
        // before it could listen.
        if (exit.Ending == RunEnding.Failed && stopping)
            exit = exit with { Ending = RunEnding.Stopped };
        if (exit.Ending == RunEnding.Failed)
            _failures[run.Run.Name] = exit.Message ?? "for an unknown reason";
        if (result is null)
            shared.Release(run.Run);
        listener.OnRunEnded(run.Run, result, exit);
    }

    private static (RunResult? Result, RunExit Exit) Outcome(ActiveRun run)
    {
        if (run.Task.IsFaulted)
            return (null, new RunExit(RunEnding.Failed, run.Task.Exception.InnerException!.Message));
        try
        {
            return (run.Result(run.Task.Result), run.Task.Result);
        }
        catch (InvalidInputException e)
        {
            return (null, new RunExit(RunEnding.Failed, e.Message));
        }
    }

    private (RunResult? Result, RunExit Exit) Save(PlannedRun run, RunResult result, RunExit exit)
    {
        try
        {
            directory.WriteResult(run, result);
        }
        catch (InvalidInputException e)
        {
            return (null, new RunExit(RunEnding.Failed, e.Message));
        }

        _results[result.Name] = result;
        TidyUp(run);
        return (result, exit);
    }

    /// <summary>What earlier sessions may have left of a run that has its result.</summary>
    private void CleanUp(PlannedRun run)
    {
        directory.RemoveStale(run);
        TidyUp(run);
    }

    private void TidyUp(PlannedRun run)
    {
        if (options.KeepCheckpoints)
            return;
        try
        {
            directory.DeleteCheckpoints(run);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidInputException)
        {
            listener.OnWarning(
                $"the checkpoints of {run.Name} could not be deleted ({e.Message.TrimEnd('.')}); nothing needs them "
                    + "any more");
        }
    }

    private void Report(Action<StudyState> onResult, StudyAgenda agenda)
    {
        try
        {
            onResult(State(agenda));
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Hours of training must not end for a picture of them.
            listener.OnWarning(
                $"the tables or the report could not be written ({e.Message.TrimEnd('.')}); the runs go on");
        }
    }

    private void WaitForAll()
    {
        try
        {
            Task.WaitAll([.. _active.Select(run => run.Task)], CancellationToken.None);
        }
        catch (AggregateException)
        {
            // They are given up; why the study ends is the exception on its way.
        }
    }

    /// <summary>
    /// A stop during the last evaluation ends a run that is complete otherwise; the evaluation is made the next time.
    /// </summary>
    private static bool HasFinalEvaluation(PlannedRun run, RunResult result, bool stopping)
        => result.Curve is [.., var last]
            && (last.Step >= run.Plan.Steps || (run.Configuration.Training.MaxMinutes is not null && !stopping));
}
