using ZstdSharp;

namespace AnTransformer.Training.Data.Preparation;

/// <summary>
/// The documents of a corpus: <c>.txt</c> and <c>.jsonl</c>, plain or compressed as <c>.gz</c> or <c>.zst</c>, and
/// <c>.parquet</c>, streamed in the order of the inputs with memory bounded by the largest document (for Parquet: row group).
/// A byte-order mark at the start of a file is dropped, and so are empty documents.
/// </summary>
public sealed class DocumentSource
{
    private readonly DocumentSourceOptions _options;
    private long _bytesRead;

    private DocumentSource(IReadOnlyList<CorpusFile> files, DocumentSourceOptions options)
    {
        _options = options;
        Files = files;
        TotalBytes = files.Sum(file => file.Bytes);
    }

    /// <summary>The files, in the order they are read.</summary>
    public IReadOnlyList<CorpusFile> Files { get; }

    /// <summary>Size of all files in bytes, compressed where they are.</summary>
    public long TotalBytes { get; }

    /// <summary>
    /// How much of <see cref="TotalBytes"/> the latest enumeration has read; may be asked from another thread.
    /// </summary>
    public long BytesRead => Volatile.Read(ref _bytesRead);

    /// <summary>Finds the files behind inputs; see <see cref="CorpusFile.Resolve"/>.</summary>
    /// <param name="inputs">Files, directories or patterns.</param>
    /// <param name="options">How files become documents; null for the defaults.</param>
    /// <exception cref="InvalidInputException">
    /// An input is missing or of no supported kind, or an option is out of range.
    /// </exception>
    public static DocumentSource Open(IReadOnlyList<string> inputs, DocumentSourceOptions? options = null)
    {
        options ??= new DocumentSourceOptions();
        options.Validate();
        return new DocumentSource(CorpusFile.Resolve(inputs), options);
    }

    /// <summary>The documents of inputs.</summary>
    /// <param name="inputs">Files, directories or patterns.</param>
    /// <param name="options">How files become documents; null for the defaults.</param>
    /// <exception cref="InvalidInputException">
    /// An input is missing or of no supported kind, or (while enumerating) a file cannot be read or is corrupt.
    /// </exception>
    public static IEnumerable<Document> Read(IReadOnlyList<string> inputs, DocumentSourceOptions? options = null) =>
        Open(inputs, options).Documents();

    /// <summary>Reads all documents from the start.</summary>
    /// <exception cref="InvalidInputException">While enumerating: a file cannot be read or is corrupt.</exception>
    public IEnumerable<Document> Documents()
    {
        var before = 0L;
        Volatile.Write(ref _bytesRead, 0);
        foreach (var file in Files)
        {
            using var reader = Guard(file, null, () => DocumentReader.Open(file.Path, _options));
            while (Guard(file, reader, () =>
                reader.TryRead(out var text) ? new Document(text, file.Path) : (Document?)null) is { } document)
            {
                Volatile.Write(ref _bytesRead, before + Math.Min(reader.Position, file.Bytes));
                if (!document.Text.IsEmpty)
                    yield return document;
            }
            before += file.Bytes;
            Volatile.Write(ref _bytesRead, before);
        }
    }

    private static T Guard<T>(CorpusFile file, DocumentReader? reader, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception exception) when (exception
            is UnauthorizedAccessException or FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InvalidInputException($"Cannot read '{file.Path}': {exception.Message}", exception);
        }
        catch (Exception exception) when (IsCorruption(file, exception))
        {
            throw new InvalidInputException(
                $"'{file.Path}' is corrupt or cannot be read{(reader is null ? "" : $" after {reader.Location}")}: " +
                $"{exception.Message.TrimEnd('.')}; get the file again or leave it out.", exception);
        }
    }

    /// <summary>Parquet.Net meets corrupt bytes with whatever exception the code at that place happens to raise.</summary>
    private static bool IsCorruption(CorpusFile file, Exception exception) =>
        exception is not InvalidInputException and not OutOfMemoryException &&
        (exception is IOException or InvalidDataException or ZstdException || CorpusFile.HasKind(file.Path, ".parquet"));
}
