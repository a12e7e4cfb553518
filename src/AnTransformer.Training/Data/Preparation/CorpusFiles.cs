using AnTransformer.Files;

namespace AnTransformer.Training.Data.Preparation;

/// <summary>The files behind inputs, and what of the directories among them is left out.</summary>
internal sealed class CorpusFiles
{
    private readonly List<CorpusFile> _files = [];
    private readonly List<LeftOutFile> _leftOut = [];
    private readonly Dictionary<FileIdentity, string> _seen = [];
    private readonly DocumentSourceOptions _options;
    private readonly CancellationToken _stop;

    private CorpusFiles(DocumentSourceOptions options, CancellationToken stop) => (_options, _stop) = (options, stop);

    /// <summary>The files to read, in order.</summary>
    public IReadOnlyList<CorpusFile> Files => _files;

    /// <summary>What was found in directories and is not read; hidden entries do not count.</summary>
    public IReadOnlyList<LeftOutFile> LeftOut => _leftOut;

    /// <summary>
    /// Finds the files, in the order of the inputs: a file stands for itself, a directory for the files in it that can
    /// be read, at any depth (see <see cref="DirectoryTree"/>), a pattern (<c>*</c>, <c>?</c>, <c>**</c>) for the files
    /// that match; the latter two in ordinal order of their paths. A file reached twice, by whatever names and links,
    /// counts once.
    /// </summary>
    /// <param name="inputs">Files, directories or patterns.</param>
    /// <param name="options">
    /// How files become documents, to try whether a <c>.json</c> file in a directory holds any.
    /// </param>
    /// <param name="stop">Ends the search.</param>
    /// <exception cref="InvalidInputException">
    /// An input is missing, empty, of no supported kind, or no regular file.
    /// </exception>
    public static CorpusFiles Resolve(
        IReadOnlyList<string> inputs, DocumentSourceOptions options, CancellationToken stop)
    {
        if (inputs.Count == 0)
            throw new InvalidInputException("There is no input; name files, directories or patterns.");
        var corpus = new CorpusFiles(options, stop);
        foreach (var input in inputs)
        {
            try
            {
                if (Directory.Exists(input))
                    corpus.AddDirectory(input);
                else
                    corpus.AddFiles(input);
            }
            catch (Exception exception)
                when (exception is IOException or UnauthorizedAccessException or ArgumentException)
            {
                throw new InvalidInputException($"Cannot read the input '{input}': {exception.Message}", exception);
            }
        }

        return corpus;
    }

    private void AddFiles(string input)
    {
        var files = FilePattern.Expand(input, _stop);
        if (files.Count == 0)
        {
            // A pipe that is missing from the list of files is there all the same.
            RegularFile.Require(input);
            throw new InvalidInputException(
                $"There is no input '{input}': no file, directory or pattern that matches a file.");
        }

        foreach (var path in files)
        {
            RegularFile.Require(path);
            if (CorpusFormats.Of(path) is null)
                throw new InvalidInputException(
                    $"'{path}' is of no supported kind; supported are {CorpusFormats.Supported}.");
            if (FileStatus.Of(path) is { } status)
            {
                if (_seen.TryAdd(status.Identity, path))
                    _files.Add(new CorpusFile(path, status.Bytes));
            }
            else
            {
                throw new InvalidInputException($"Cannot read '{path}'; check that it exists and may be read.");
            }
        }
    }

    private void AddDirectory(string input)
    {
        var tree = DirectoryTree.Walk(input, _stop);
        var found = new List<CorpusFile>();
        var others = new List<(LeftOutFile File, FileIdentity? Identity)>();
        foreach (var path in tree.Files)
        {
            _stop.ThrowIfCancellationRequested();
            var status = FileStatus.Of(path);
            if (WhyNot(path, status) is { } reason)
                others.Add((new LeftOutFile(path, reason), status?.Identity));
            else if (_seen.TryAdd(status!.Identity, path))
                found.Add(new CorpusFile(path, status.Bytes));
            else if (!SameName(_seen[status.Identity], path))
                others.Add((new LeftOutFile(path, $"another name of '{_seen[status.Identity]}'"), null));
        }

        // A file without an ending may be what a link with one leads to, as in caches of downloads.
        _leftOut.AddRange(others.Where(
            other => other.Identity is null || !_seen.ContainsKey(other.Identity)).Select(other => other.File)
            .Concat(tree.LinksLeftOut).OrderBy(file => file.Path, StringComparer.Ordinal));
        if (found.Count == 0
            && !tree.Files.Exists(path => FileStatus.Of(path) is { } status && _seen.ContainsKey(status.Identity)))
        {
            throw new InvalidInputException(
                $"The directory '{input}' has no file that can be read; supported are {CorpusFormats.Supported}"
                + $"{(others.Count > 0 ? $" ('{others[0].File.Path}' is {others[0].File.Reason})" : "")}.");
        }

        _files.AddRange(found.OrderBy(file => file.Path, StringComparer.Ordinal));
    }

    private static bool SameName(string first, string second) => Path.GetFullPath(first) == Path.GetFullPath(second);

    private string? WhyNot(string path, FileStatus? status)
    {
        if (status is null)
            return "not to be looked at";
        if (status.Kind != FileKind.Regular)
            return FileStatus.Describe(status.Kind);
        return CorpusFormats.Of(path) switch
        {
            null => "of no supported kind",
            CorpusFormat.Json => WhyNoDocuments(path),
            _ => null,
        };
    }

    /// <summary>
    /// Many a <c>.json</c> file that lies beside text holds settings or metadata. One in a directory counts as text if
    /// its first document can be read.
    /// </summary>
    private string? WhyNoDocuments(string path)
    {
        using var reader = new JsonReader(path, _options, mayBeArray: true);
        try
        {
            return reader.TryRead(out _) ? null : "JSON without documents";
        }
        catch (InvalidInputException) when (reader.FoundMalformed)
        {
            return $"no JSON of documents with a field \"{_options.TextField}\"";
        }
    }
}
