using AnTransformer.Training.Metrics;

namespace AnTransformer.Training.Inspection;

/// <summary>Reads <c>inspection.jsonl</c>.</summary>
public static class InspectionLog
{
    /// <summary>Reads a run's inspections. A last line that a crash left half-written does not count.</summary>
    /// <param name="path">The file; a missing one is empty.</param>
    /// <exception cref="InvalidInputException">
    /// The file cannot be read, or a line before the last is damaged.
    /// </exception>
    public static IReadOnlyList<InspectionRecord> Read(string path) => StepLog<InspectionRecord>.Read(path);
}
