namespace AnTransformer.Studies.Running;

/// <summary>What is known of a study.</summary>
/// <param name="Agenda">Runs that are wanted.</param>
/// <param name="Results">Results by run name.</param>
/// <param name="Failures">Why runs failed in this session, by run name.</param>
public sealed record StudyState(
    StudyAgenda Agenda, IReadOnlyDictionary<string, RunResult> Results, IReadOnlyDictionary<string, string> Failures)
{
    /// <summary>The runs wanted that have a result, with it, in the agenda's order.</summary>
    public IEnumerable<(PlannedRun Run, RunResult Result)> Finished
        => Agenda.Runs.Where(run => Results.ContainsKey(run.Name)).Select(run => (run, Results[run.Name]));

    /// <summary>Whether every run wanted has a result and none are to follow.</summary>
    public bool IsComplete => Agenda.Later.Count == 0 && Agenda.Runs.All(run => Results.ContainsKey(run.Name));
}

/// <summary>How a session of a study ended.</summary>
/// <param name="State">What is known.</param>
/// <param name="Stopped">Whether it was stopped on request.</param>
public sealed record StudyOutcome(StudyState State, bool Stopped);
