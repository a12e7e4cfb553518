using System.Text.Json;
using System.Text.Json.Serialization;
using AnTransformer.Checkpoints;
using AnTransformer.Files;

namespace AnTransformer.Training.Metrics;

/// <summary>
/// A file of records by step, one JSON object per line, flushed line by line, so that a crash costs at most the line
/// being written. Figures that are not numbers are the strings <c>"NaN"</c>, <c>"Infinity"</c> and <c>"-Infinity"</c>.
/// </summary>
/// <typeparam name="T">The record.</typeparam>
internal sealed class StepLog<T> : IDisposable
    where T : class, IStepRecord
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    private readonly FileStream _stream;

    private StepLog(FileStream stream) => _stream = stream;

    /// <summary>
    /// Opens the log of a run that stands at a step. Records of later steps, which a crashed session wrote after its
    /// last checkpoint, and a last line that it left half-written are dropped; the lines before stay byte for byte.
    /// </summary>
    /// <param name="path">The file; made when missing.</param>
    /// <param name="step">Steps taken; 0 for a run that begins, whose log begins empty.</param>
    /// <exception cref="InvalidInputException">
    /// The file cannot be read or written, or a line before the last is damaged.
    /// </exception>
    public static StepLog<T> Open(string path, long step)
    {
        var kept = step > 0
            ? ReadLines(path).Where(item => item.Record.Step <= step).Select(item => item.Line + "\n")
            : [];
        AtomicFile.WriteAllText(path, string.Concat(kept));
        try
        {
            return new StepLog<T>(
                new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException(
                $"{path}: cannot be written ({e.Message.TrimEnd('.')}); choose another training.output.", e);
        }
    }

    /// <summary>Reads a log. A last line that a crash left half-written does not count.</summary>
    /// <param name="path">The file; a missing one is empty.</param>
    /// <exception cref="InvalidInputException">
    /// The file cannot be read, or a line before the last is damaged.
    /// </exception>
    public static IReadOnlyList<T> Read(string path) => ReadLines(path).ConvertAll(item => item.Record);

    /// <summary>Adds a record and hands it to the operating system at once.</summary>
    /// <param name="record">The record.</param>
    /// <exception cref="IOException">The disk is full or gone.</exception>
    public void Write(T record)
        => _stream.Write([.. JsonSerializer.SerializeToUtf8Bytes(record, Json), (byte)'\n']);

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();

    private static List<(string Line, T Record)> ReadLines(string path)
    {
        var lines = ReadAllLines(path);
        var records = new List<(string, T)>();
        for (var i = 0; i < lines.Length; i++)
        {
            if (Parse(lines[i]) is { } record)
            {
                records.Add((lines[i], record));
            }
            else if (i < lines.Length - 1)
            {
                throw new InvalidInputException(
                    $"{path}:{i + 1}: is not {T.Kind}; remove that line, or choose another training.output.");
            }
        }

        return records;
    }

    private static string[] ReadAllLines(string path)
    {
        try
        {
            RegularFile.Require(path);
            // Shared, so that a run that is still writing can be looked at.
            using var stream = new FileStream(
                path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var reader = new StreamReader(stream);
            var text = reader.ReadToEnd();
            return (text.EndsWith('\n') ? text[..^1] : text) is { Length: > 0 } content ? content.Split('\n') : [];
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException(
                $"{path}: cannot be read ({e.Message.TrimEnd('.')}); check its permissions.", e);
        }
    }

    private static T? Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(line, Json);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
