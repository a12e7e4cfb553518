namespace AnTransformer.Studies.Running;

/// <summary>What earlier sessions have left in a study's directory.</summary>
internal static class KnownResults
{
    /// <summary>
    /// Takes in the results of a plan's runs until it wants nothing more that has one, since what it wants depends on
    /// them.
    /// </summary>
    /// <param name="directory">The study's directory.</param>
    /// <param name="plan">What is wanted.</param>
    /// <param name="results">Results by run name, which those found are added to.</param>
    /// <param name="onFound">Hears of each run whose result is found.</param>
    /// <returns>What the plan wants in the end.</returns>
    /// <exception cref="InvalidInputException">A result cannot be read.</exception>
    public static StudyAgenda Read(
        StudyDirectory directory, IStudyPlan plan, IDictionary<string, RunResult> results, Action<PlannedRun> onFound)
    {
        while (true)
        {
            var agenda = plan.Agenda(results.AsReadOnly());
            var found = agenda.Runs.Where(run => !results.ContainsKey(run.Name))
                .Select(run => (Run: run, Result: directory.ReadResult(run))).Where(item => item.Result is not null)
                .ToList();
            if (found.Count == 0)
                return agenda;
            foreach (var (run, result) in found)
            {
                results[run.Name] = result!;
                onFound(run);
            }
        }
    }
}
