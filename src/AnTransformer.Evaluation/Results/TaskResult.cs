namespace AnTransformer.Evaluation.Results;

/// <summary>Figures of a task, or of a part of one.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Questions">Questions asked.</param>
/// <param name="Available">Questions that the files have.</param>
/// <param name="Cut">Continuations whose context lost its beginning, since the model's is shorter.</param>
/// <param name="Metrics">The figures.</param>
/// <param name="Version">Version of the definition.</param>
/// <param name="Parts">What it is the mean of; empty for a task that is asked itself.</param>
internal sealed record TaskResult(
    string Name, int Questions, int Available, int Cut, IReadOnlyList<Metric> Metrics, double Version,
    IReadOnlyList<TaskResult> Parts);
