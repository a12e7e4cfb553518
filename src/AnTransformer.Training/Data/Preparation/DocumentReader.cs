using System.Text;

namespace AnTransformer.Training.Data.Preparation;

/// <summary>Reads one file's documents.</summary>
internal abstract class DocumentReader : IDisposable
{
    /// <summary>Where in the file the reader is, for errors: "line 3".</summary>
    public abstract string Location { get; }

    /// <summary>Bytes of the file consumed so far.</summary>
    public abstract long Position { get; }

    public static DocumentReader Open(string path, DocumentSourceOptions options)
    {
        var format = CorpusFormats.Of(path);
        if (format == CorpusFormat.Parquet)
            return new ParquetDocumentReader(path, options);
        if (format is CorpusFormat.Json or CorpusFormat.JsonLines)
            return new JsonReader(path, options, mayBeArray: format == CorpusFormat.Json);
        if (options.Separator is { } separator)
            return new SeparatedTextReader(path, options, Encoding.UTF8.GetBytes(separator));
        return options.SectionBytes == 0
            ? new SeparatedTextReader(path, options, [])
            : new SectionReader(path, options);
    }

    /// <summary>Reads the next document, which may be empty, into memory of its own.</summary>
    /// <returns>False at the end of the file.</returns>
    public abstract bool TryRead(out ReadOnlyMemory<byte> text);

    public abstract void Dispose();
}
