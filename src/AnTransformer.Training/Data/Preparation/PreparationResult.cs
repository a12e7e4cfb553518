namespace AnTransformer.Training.Data.Preparation;

/// <summary>What a preparation made.</summary>
/// <param name="Directory">The data set.</param>
/// <param name="Info">The contents of its <c>dataset.json</c>.</param>
/// <param name="Elapsed">Duration.</param>
/// <param name="Warnings">One sentence each about what the user should know, such as invalid UTF-8.</param>
public sealed record PreparationResult(
    string Directory, DatasetInfo Info, TimeSpan Elapsed, IReadOnlyList<string> Warnings)
{
    /// <summary>What was found in the directories given and is not in the data set, hidden entries aside.</summary>
    public IReadOnlyList<LeftOutFile> LeftOut { get; init; } = [];
}
