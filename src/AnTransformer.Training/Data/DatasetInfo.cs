using System.Text.Json;
using AnTransformer.Files;

namespace AnTransformer.Training.Data;

/// <summary>A file that went into a data set.</summary>
/// <param name="Path">As the run named it.</param>
/// <param name="Bytes">Its size in bytes, compressed where the file is.</param>
public sealed record DatasetSource(string Path, long Bytes);

/// <summary>How a data set was made; what determines its contents and nothing else.</summary>
/// <param name="TextField">Field of JSON lines that holds the text.</param>
/// <param name="TextColumn">Column of Parquet files that holds the text.</param>
/// <param name="SectionBytes">Largest section of plain text files in bytes; 0 for whole files.</param>
/// <param name="Separator">Literal string between the documents of plain text files; null for sections.</param>
/// <param name="ValidationFraction">Part of the documents held back.</param>
/// <param name="Seed">Chooses the documents held back.</param>
/// <param name="MaxTokensPerShard">Largest number of tokens in a file.</param>
/// <param name="Encoding">How the bytes of text and JSON files were read as characters.</param>
public sealed record DatasetOptions(
    string TextField,
    string TextColumn,
    int SectionBytes,
    string? Separator,
    double ValidationFraction,
    long Seed,
    int MaxTokensPerShard,
    string Encoding = "auto");

/// <summary>The description of a prepared data set: the file <c>dataset.json</c> beside its shards.</summary>
public sealed record DatasetInfo
{
    /// <summary>The file's name in the data set's directory.</summary>
    public const string FileName = "dataset.json";

    /// <summary>The version this library writes and the highest that it reads.</summary>
    public const int CurrentFormatVersion = 1;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        NewLine = "\n",
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
    };

    /// <summary>Version of this file's format.</summary>
    public required int FormatVersion { get; init; }

    /// <summary>Number of ids of the tokenizer: every token is below it.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>2 (uint16) or 4 (uint32).</summary>
    public required int BytesPerToken { get; init; }

    /// <summary>The id at the end of each document; null when the tokenizer has none and documents run on.</summary>
    public required int? EndOfTextId { get; init; }

    /// <summary>Identifies the tokenizer; null when unknown.</summary>
    public required string? TokenizerFingerprint { get; init; }

    /// <summary>Tokens of the training split, ends of text included.</summary>
    public required long TrainTokens { get; init; }

    /// <summary>Tokens of the validation split, ends of text included.</summary>
    public required long ValidationTokens { get; init; }

    /// <summary>Documents of the training split.</summary>
    public required long TrainDocuments { get; init; }

    /// <summary>Documents of the validation split.</summary>
    public required long ValidationDocuments { get; init; }

    /// <summary>Bytes of text in the training split.</summary>
    public required long TrainBytes { get; init; }

    /// <summary>Bytes of text in the validation split: what turns a loss per token into bits per byte.</summary>
    public required long ValidationBytes { get; init; }

    /// <summary>Documents with bytes that are not UTF-8 (kept as they are).</summary>
    public required long InvalidUtf8Documents { get; init; }

    /// <summary>Bytes that are not UTF-8 (kept as they are).</summary>
    public required long InvalidUtf8Bytes { get; init; }

    /// <summary>Bytes that are NUL (kept as they are); 0 in data sets that did not count them.</summary>
    public long NulBytes { get; init; }

    /// <summary>How the data set was made.</summary>
    public required DatasetOptions Options { get; init; }

    /// <summary>The files that went in, in order.</summary>
    public required IReadOnlyList<DatasetSource> Sources { get; init; }

    /// <summary>Reads a directory's description.</summary>
    /// <param name="directory">A data set's directory.</param>
    /// <returns>Null when the directory has none, as one of foreign shards.</returns>
    /// <exception cref="InvalidInputException">The file cannot be read or understood.</exception>
    public static DatasetInfo? Load(string directory)
    {
        var path = Path.Combine(directory, FileName);
        if (!File.Exists(path))
            return null;
        try
        {
            var bytes = RegularFile.ReadAllBytes(path, RegularFile.TableLimit);
            using (var document = JsonDocument.Parse(bytes))
            {
                if (document.RootElement.ValueKind == JsonValueKind.Object &&
                    document.RootElement.TryGetProperty("format_version", out var value) &&
                    value.TryGetInt32(out var version) && version is < 1 or > CurrentFormatVersion)
                {
                    throw new InvalidInputException(
                        $"'{path}' has format version {version}, expected {CurrentFormatVersion}; " +
                        "prepare the data again with this version.");
                }
            }
            return JsonSerializer.Deserialize<DatasetInfo>(bytes, Json) ?? throw new JsonException("It is null.");
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new InvalidInputException(
                $"'{path}' is no valid description of a data set "
                    + $"({Printable.Excerpt(exception.Message.TrimEnd('.'), longest: 200)}); prepare the " +
                "data again, or remove the file to use the shards as they are.", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"Cannot read '{path}': {exception.Message}", exception);
        }
    }

    /// <summary>Writes the description, which must not exist yet.</summary>
    internal void Save(string directory)
    {
        using var stream = new FileStream(Path.Combine(directory, FileName), FileMode.CreateNew, FileAccess.Write);
        JsonSerializer.Serialize(stream, this, Json);
        stream.WriteByte((byte)'\n');
        stream.Flush(flushToDisk: true);
    }
}
