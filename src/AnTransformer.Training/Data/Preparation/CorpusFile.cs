namespace AnTransformer.Training.Data.Preparation;

/// <summary>An input file.</summary>
/// <param name="Path">As it was named or found.</param>
/// <param name="Bytes">Its size in bytes, compressed where the file is.</param>
public sealed record CorpusFile(string Path, long Bytes)
{
    private static readonly string[] Supported =
        [".txt", ".txt.gz", ".txt.zst", ".jsonl", ".jsonl.gz", ".jsonl.zst", ".parquet"];

    /// <summary>
    /// The files behind inputs, in the order of the inputs: a file stands for itself, a directory for the supported files in it
    /// at any depth (hidden ones left out), a pattern (<c>*</c>, <c>?</c>, <c>**</c>) for the files that match; the latter two
    /// in ordinal order of their paths. A file reached twice counts once.
    /// </summary>
    /// <param name="inputs">Files, directories or patterns.</param>
    /// <exception cref="InvalidInputException">An input is missing, empty or of no supported kind.</exception>
    public static IReadOnlyList<CorpusFile> Resolve(IReadOnlyList<string> inputs)
    {
        if (inputs.Count == 0)
            throw new InvalidInputException("There is no input; name files, directories or patterns.");
        var files = new List<CorpusFile>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var input in inputs)
        {
            try
            {
                foreach (var path in Expand(input))
                {
                    if (seen.Add(System.IO.Path.GetFullPath(path)))
                        files.Add(new CorpusFile(path, new FileInfo(path).Length));
                }
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
            {
                throw new InvalidInputException($"Cannot read the input '{input}': {exception.Message}", exception);
            }
        }
        return files;
    }

    /// <summary>Whether the file's name ends in an extension, compression aside.</summary>
    internal static bool HasKind(string path, string extension) =>
        path.EndsWith(extension, StringComparison.OrdinalIgnoreCase) ||
        path.EndsWith(extension + ".gz", StringComparison.OrdinalIgnoreCase) ||
        path.EndsWith(extension + ".zst", StringComparison.OrdinalIgnoreCase);

    private static IReadOnlyList<string> Expand(string input)
    {
        var kinds = string.Join(", ", Supported);
        if (Directory.Exists(input))
        {
            var found = Directory.EnumerateFiles(input, "*",
                new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = false })
                .Where(IsSupported).ToList();
            found.Sort(string.CompareOrdinal);
            return found.Count > 0 ? found
                : throw new InvalidInputException(
                    $"The directory '{input}' has no file that can be read; supported are {kinds}.");
        }
        var files = FilePattern.Expand(input);
        if (files.Count == 0)
            throw new InvalidInputException($"There is no input '{input}': no file, directory or pattern that matches a file.");
        return files.FirstOrDefault(file => !IsSupported(file)) is { } other
            ? throw new InvalidInputException($"'{other}' is of no supported kind; supported are {kinds}.")
            : files;
    }

    private static bool IsSupported(string path) =>
        Supported.Any(extension => path.EndsWith(extension, StringComparison.OrdinalIgnoreCase));
}
