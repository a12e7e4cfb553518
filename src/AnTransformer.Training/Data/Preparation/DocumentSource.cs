using AnTransformer.Files;

namespace AnTransformer.Training.Data.Preparation;

/// <summary>
/// The documents of a corpus: <c>.txt</c>, <c>.jsonl</c>, <c>.ndjson</c> and <c>.json</c>, plain or compressed as
/// <c>.gz</c> or <c>.zst</c>, and <c>.parquet</c>, streamed in the order of the inputs with memory bounded by the
/// largest document. A byte-order mark at the start of a file is dropped, and so are empty documents.
/// </summary>
public sealed class DocumentSource
{
    private readonly DocumentSourceOptions _options;
    private long _bytesRead;

    private DocumentSource(CorpusFiles corpus, DocumentSourceOptions options)
    {
        _options = options;
        Files = corpus.Files;
        LeftOut = corpus.LeftOut;
        TotalBytes = Files.Sum(file => file.Bytes);
    }

    /// <summary>The files, in the order they are read.</summary>
    public IReadOnlyList<CorpusFile> Files { get; }

    /// <summary>What was found in directories and is not read, hidden entries aside.</summary>
    public IReadOnlyList<LeftOutFile> LeftOut { get; }

    /// <summary>One sentence about <see cref="LeftOut"/>; null when nothing is.</summary>
    public string? LeftOutWarning => LeftOutFile.Describe(LeftOut);

    /// <summary>Size of all files in bytes, compressed where they are.</summary>
    public long TotalBytes { get; }

    /// <summary>
    /// How much of <see cref="TotalBytes"/> the latest enumeration has read, some batches ahead of the documents it has
    /// given; may be asked from another thread.
    /// </summary>
    public long BytesRead => Volatile.Read(ref _bytesRead);

    /// <summary>
    /// Finds the files behind inputs, in the order of the inputs: a file stands for itself, a directory for the files
    /// in it that can be read, at any depth, a pattern (<c>*</c>, <c>?</c>, <c>**</c>) for the files that match; the
    /// latter two in ordinal order of their paths. Hidden entries of directories do not count. Each real file is read
    /// once, whatever names and links lead to it, and no link to a directory above itself is followed. A <c>.json</c>
    /// file in a directory is read if its first document can be.
    /// </summary>
    /// <param name="inputs">Files, directories or patterns.</param>
    /// <param name="options">How files become documents; null for the defaults.</param>
    /// <param name="stop">Ends the search.</param>
    /// <exception cref="InvalidInputException">
    /// An input is missing, of no supported kind or no regular file, or an option is out of range.
    /// </exception>
    /// <exception cref="OperationCanceledException">Stopped.</exception>
    public static DocumentSource Open(
        IReadOnlyList<string> inputs, DocumentSourceOptions? options = null, CancellationToken stop = default)
    {
        options ??= new DocumentSourceOptions();
        options.Validate();
        // On another thread, since a file system may not answer.
        var search = Task.Run(() => CorpusFiles.Resolve(inputs, options, stop), stop);
        return new DocumentSource(search.WaitAsync(stop).GetAwaiter().GetResult(), options);
    }

    /// <summary>The documents of inputs.</summary>
    /// <param name="inputs">Files, directories or patterns.</param>
    /// <param name="options">How files become documents; null for the defaults.</param>
    /// <exception cref="InvalidInputException">
    /// An input is missing or of no supported kind, or (while enumerating) a file cannot be read or is corrupt.
    /// </exception>
    public static IEnumerable<Document> Read(IReadOnlyList<string> inputs, DocumentSourceOptions? options = null) =>
        Open(inputs, options).Documents();

    /// <summary>Whether a file's name is of a kind that is read.</summary>
    /// <param name="path">A file.</param>
    public static bool CanRead(string path) => CorpusFormats.Of(path) is not null;

    /// <summary>Reads all documents from the start, on a thread of its own.</summary>
    /// <param name="stop">Ends the reading, even where a read does not come back.</param>
    /// <exception cref="InvalidInputException">While enumerating: a file cannot be read or is corrupt.</exception>
    /// <exception cref="OperationCanceledException">While enumerating: stopped.</exception>
    public IEnumerable<Document> Documents(CancellationToken stop = default) => ReadAhead.Of(ReadFiles(), stop);

    /// <summary>Whether a file lies in a directory, by whatever names.</summary>
    internal CorpusFile? FindInside(string directory) =>
        FileStatus.Of(directory) is { } status
            ? Files.FirstOrDefault(file => DirectoryTree.IsInside(file.Path, status.Identity))
            : null;

    private IEnumerable<Document> ReadFiles()
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
        catch (Exception exception) when (exception is IOException or InvalidDataException)
        {
            throw new InvalidInputException(
                $"'{file.Path}' is corrupt or cannot be read{(reader is null ? "" : $" after {reader.Location}")}: " +
                $"{exception.Message.TrimEnd('.')}; get the file again or leave it out.", exception);
        }
    }
}
