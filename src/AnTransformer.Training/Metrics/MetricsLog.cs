namespace AnTransformer.Training.Metrics;

/// <summary>
/// The file <c>metrics.jsonl</c>: one JSON object per line, flushed line by line, so that a crash costs at most the
/// line being written. Losses that are not numbers are the strings <c>"NaN"</c>, <c>"Infinity"</c> and
/// <c>"-Infinity"</c>.
/// </summary>
public sealed class MetricsLog : IDisposable
{
    private readonly StepLog<MetricsRecord> _log;

    private MetricsLog(StepLog<MetricsRecord> log) => _log = log;

    /// <summary>
    /// Opens the log of a run that stands at a step. Records of later steps, which a crashed session wrote after its
    /// last checkpoint, and a last line that it left half-written are dropped; the lines before stay byte for byte.
    /// </summary>
    /// <param name="path">The file; made when missing.</param>
    /// <param name="step">Steps taken; 0 for a run that begins, whose log begins empty.</param>
    /// <exception cref="InvalidInputException">
    /// The file cannot be read or written, or a line before the last is damaged.
    /// </exception>
    public static MetricsLog Open(string path, long step) => new(StepLog<MetricsRecord>.Open(path, step));

    /// <summary>Reads a log. A last line that a crash left half-written does not count.</summary>
    /// <param name="path">The file; a missing one is empty.</param>
    /// <exception cref="InvalidInputException">
    /// The file cannot be read, or a line before the last is damaged.
    /// </exception>
    public static IReadOnlyList<MetricsRecord> Read(string path) => StepLog<MetricsRecord>.Read(path);

    /// <summary>Adds a record and hands it to the operating system at once.</summary>
    /// <param name="record">The record.</param>
    /// <exception cref="IOException">The disk is full or gone.</exception>
    public void Write(MetricsRecord record) => _log.Write(record);

    /// <inheritdoc/>
    public void Dispose() => _log.Dispose();
}
