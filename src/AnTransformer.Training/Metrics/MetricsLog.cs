using System.Text.Json;
using System.Text.Json.Serialization;
using AnTransformer.Checkpoints;

namespace AnTransformer.Training.Metrics;

/// <summary>The file <c>metrics.jsonl</c>: one JSON object per line, flushed line by line.</summary>
public sealed class MetricsLog : IDisposable
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    private readonly StreamWriter _writer;

    private MetricsLog(StreamWriter writer) => _writer = writer;

    /// <summary>
    /// Opens the log of a run that stands at a step. Records of later steps, which a crashed session wrote after its last
    /// checkpoint, and a line that it left half-written are dropped.
    /// </summary>
    /// <param name="path">The file; made when missing.</param>
    /// <param name="step">Steps taken.</param>
    /// <exception cref="InvalidInputException">The file cannot be written.</exception>
    public static MetricsLog Open(string path, long step)
    {
        try
        {
            var kept = Read(path).Where(record => record.Step <= step && step > 0);
            AtomicFile.WriteAllText(path, string.Concat(kept.Select(record => Line(record) + "\n")));
            return new MetricsLog(new StreamWriter(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read)) { AutoFlush = true });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"{path}: the metrics cannot be written ({e.Message.TrimEnd('.')}); choose another training.output.", e);
        }
    }

    /// <summary>Reads a log, up to the first line that is not a record.</summary>
    /// <param name="path">The file; a missing one is empty.</param>
    public static IReadOnlyList<MetricsRecord> Read(string path)
    {
        var records = new List<MetricsRecord>();
        if (!File.Exists(path))
            return records;
        foreach (var line in File.ReadLines(path))
        {
            try
            {
                if (JsonSerializer.Deserialize<MetricsRecord>(line, Json) is { } record)
                    records.Add(record);
            }
            catch (JsonException)
            {
                break;
            }
        }

        return records;
    }

    /// <summary>Adds a record.</summary>
    /// <param name="record">The record.</param>
    public void Write(MetricsRecord record) => _writer.Write(Line(record) + "\n");

    /// <inheritdoc/>
    public void Dispose() => _writer.Dispose();

    private static string Line(MetricsRecord record) => JsonSerializer.Serialize(record, Json);
}
