using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using AnTransformer.Training.Data.Preparation;

namespace AnTransformer.Evaluation.Data;

/// <summary>
/// The rows of a published set: JSON lines or a JSON list, plain or compressed as <c>.gz</c> or <c>.zst</c>, Parquet,
/// or lines of text, each of which is a row with the one field <c>text</c>.
/// </summary>
internal static class QuestionFile
{
    private static readonly JsonDocumentOptions Json = new()
    {
        MaxDepth = 32,
        AllowDuplicateProperties = false,
    };

    /// <summary>Whether a file's name is of a kind that is read.</summary>
    /// <param name="path">A file.</param>
    public static bool CanRead(string path) => DocumentSource.CanRead(path);

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidInputException">It cannot be read or is damaged.</exception>
    public static IReadOnlyList<QuestionRow> Read(string path)
    {
        var format = CorpusFormats.Of(path)
            ?? throw new InvalidInputException(
                $"{path}: is none of .jsonl, .json, .parquet and .txt (with .gz or .zst); convert it to JSON lines.");
        try
        {
            if (format == CorpusFormat.Parquet)
                return ParquetRows.Read(path);
            using var stream = CorpusStream.Open(path, default, out _);
            using var reader = new StreamReader(stream, new UTF8Encoding(false, throwOnInvalidBytes: true));
            return format switch
            {
                CorpusFormat.Json => Whole(reader.ReadToEnd(), path),
                CorpusFormat.JsonLines => Lines(
                    reader, path, (line, place) => new QuestionRow(Object(line, place), place)),
                _ => Lines(reader, path, (line, place) => new QuestionRow(new JsonObject { ["text"] = line }, place)),
            };
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InvalidInputException($"{path}: no such file; check the path.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException
            or DecoderFallbackException)
        {
            throw new InvalidInputException(
                $"{path}: cannot be read ({e.Message.TrimEnd('.')}); get the file again.", e);
        }
    }

    private static List<QuestionRow> Lines(StreamReader reader, string path, Func<string, string, QuestionRow> parse)
    {
        var rows = new List<QuestionRow>();
        for (var number = 1; reader.ReadLine() is { } line; number++)
        {
            if (!string.IsNullOrWhiteSpace(line))
                rows.Add(parse(line, $"{path}:{number}"));
        }

        return rows;
    }

    private static List<QuestionRow> Whole(string text, string path)
    {
        JsonNode? node;
        try
        {
            node = JsonNode.Parse(text, documentOptions: Json);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Several sets are JSON lines in a file that is called .json.
            return Lines(
                new StreamReader(new MemoryStream(Encoding.UTF8.GetBytes(text))), path,
                (line, place) => new QuestionRow(Object(line, place), place));
        }

        if (node is JsonObject only)
            return [new QuestionRow(only, $"{path}:1")];
        return node is JsonArray list
            ? [.. list.Select((item, i) => item is JsonObject row
                ? new QuestionRow(row, $"{path}, entry {i + 1}")
                : throw new InvalidInputException($"{path}, entry {i + 1}: is not a JSON object; get the file again."))]
            : throw new InvalidInputException($"{path}: is no list of JSON objects; get the file again.");
    }

    private static JsonObject Object(string line, string place)
    {
        try
        {
            if (JsonNode.Parse(line, documentOptions: Json) is JsonObject row)
                return row;
        }
        // A name that is no Unicode text is not a JsonException.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InvalidInputException($"{place}: is not a JSON object; get the file again, or mend the line.", e);
        }

        throw new InvalidInputException($"{place}: is not a JSON object; get the file again, or mend the line.");
    }
}
