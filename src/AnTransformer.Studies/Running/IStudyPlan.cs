namespace AnTransformer.Studies.Running;

/// <summary>
/// What a study wants to run: a pure function of what is known so far. It is asked again after every finished run, so a
/// plan may decide on later runs by the results of earlier ones, and a study that is started again arrives where it
/// was.
/// </summary>
public interface IStudyPlan
{
    /// <summary>
    /// All runs wanted, given what is known, the most urgent first; those that have results already included.
    /// </summary>
    /// <param name="results">Results by run name.</param>
    /// <exception cref="InvalidInputException">A run's settings cannot be used.</exception>
    StudyAgenda Agenda(IReadOnlyDictionary<string, RunResult> results);
}

/// <summary>Runs that a study wants.</summary>
/// <param name="Runs">Runs that are decided on, the most urgent first.</param>
/// <param name="Later">Costs in FLOP of runs that will follow but whose settings depend on results.</param>
public sealed record StudyAgenda(IReadOnlyList<PlannedRun> Runs, IReadOnlyList<double> Later)
{
    /// <summary>
    /// Names of the runs at the best learning rates as far as these are known; null for a study that does not tune.
    /// </summary>
    public IReadOnlySet<string>? AtBestRate { get; init; }
}
