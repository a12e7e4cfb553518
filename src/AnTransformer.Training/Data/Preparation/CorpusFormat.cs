namespace AnTransformer.Training.Data.Preparation;

/// <summary>How a file holds its documents.</summary>
internal enum CorpusFormat
{
    /// <summary>Plain text.</summary>
    Text,

    /// <summary>A JSON object on each line.</summary>
    JsonLines,

    /// <summary>
    /// Either a JSON object on each line, or one array of objects: which, the file's first byte says.
    /// </summary>
    Json,

    /// <summary>Columns in row groups.</summary>
    Parquet,
}

/// <summary>What names of files say about their content.</summary>
internal static class CorpusFormats
{
    /// <summary>The endings that are read, for messages.</summary>
    public const string Supported = ".txt, .jsonl, .ndjson and .json, each also with .gz or .zst, and .parquet";

    private static readonly (string Ending, CorpusFormat Format)[] Endings =
    [
        (".txt", CorpusFormat.Text), (".jsonl", CorpusFormat.JsonLines), (".ndjson", CorpusFormat.JsonLines),
        (".json", CorpusFormat.Json),
    ];

    /// <summary>The format by a file's name; null for one that is not read.</summary>
    public static CorpusFormat? Of(string path)
    {
        if (EndsWith(path, ".parquet"))
            return CorpusFormat.Parquet;
        var name = EndsWith(path, ".gz") || EndsWith(path, ".zst") ? path[..path.LastIndexOf('.')] : path;
        foreach (var (ending, format) in Endings)
        {
            if (EndsWith(name, ending))
                return format;
        }

        return null;
    }

    private static bool EndsWith(string path, string ending)
        => path.EndsWith(ending, StringComparison.OrdinalIgnoreCase);
}
