using System.Text.RegularExpressions;

namespace AnTransformer.Evaluation.Data;

/// <summary>Finds the files of published sets in a directory, under the names that they are published with.</summary>
internal static partial class TaskFiles
{
    private const int Most = 20_000;

    /// <summary>All files of a directory that can be read, in ordinal order, hidden ones aside.</summary>
    /// <param name="directory">The directory.</param>
    /// <exception cref="InvalidInputException">It is missing, cannot be read, or holds too many files.</exception>
    public static IReadOnlyList<string> In(string directory)
    {
        if (!Directory.Exists(directory))
            throw new InvalidInputException($"--task-data {directory}: no such directory; name the one with the sets.");
        try
        {
            var found = Directory.EnumerateFiles(
                    directory, "*", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 8 })
                .Where(QuestionFile.CanRead).Take(Most + 1).ToList();
            if (found.Count > Most)
                throw new InvalidInputException(
                    $"--task-data {directory}: holds more than {Most} files; name a directory with the sets alone.");
            found.Sort(StringComparer.Ordinal);
            return found;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"--task-data {directory}: cannot be read ({e.Message.TrimEnd('.')}).", e);
        }
    }

    /// <summary>The file of a set, or the parts of one that is cut into several.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="task">The task's name, for errors.</param>
    /// <param name="names">What the set is called within a path, in lower case.</param>
    /// <param name="splits">What the wanted split is called within a file's name, the best first.</param>
    /// <exception cref="InvalidInputException">There is none, or several fit.</exception>
    public static IReadOnlyList<string> Find(string directory, string task, string[] names, string[] splits)
    {
        var root = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory)));
        var named = In(directory)
            .Select(path => (Path: path, Words: Words($"{root}/{Path.GetRelativePath(directory, path)}")))
            .Where(file => names.Any(name => file.Words.Contains(name, StringComparison.Ordinal)))
            .ToList();
        foreach (var split in splits)
        {
            var fitting = named.Where(file => LastPart(file.Words).Split(' ').Contains(split)).ToList();
            if (fitting.Count > 0)
                return OneOf([.. fitting.Select(file => file.Path)], directory, task);
        }

        // A file that no split is named of is the one that somebody chose.
        var plain = named.Where(file => !OtherSplit().IsMatch(LastPart(file.Words))).Select(file => file.Path).ToList();
        return plain.Count > 0
            ? OneOf(plain, directory, task)
            : throw new InvalidInputException(
                $"--task-data {directory}: has no file of {task}; its path must contain {string.Join(" or ", names)} "
                    + $"and its name {string.Join(" or ", splits)}, as in {names[0]}/{splits[0]}.jsonl.");
    }

    private static IReadOnlyList<string> OneOf(IReadOnlyList<string> files, string directory, string task)
    {
        // test-00000-of-00002.parquet and so on are one set; of the same set in several formats the simplest is read.
        var sets = files.GroupBy(path => Part().Replace(path, ""), StringComparer.Ordinal)
            .GroupBy(set => Rank(set.Key)).OrderBy(kind => kind.Key).First().ToList();
        return sets.Count == 1
            ? [.. sets[0]]
            : throw new InvalidInputException(
                $"--task-data {directory}: several files fit {task}: "
                    + $"{string.Join(", ", sets.Take(4).Select(set => Path.GetRelativePath(directory, set.First())))}; "
                    + "leave one.");
    }

    private static int Rank(string path)
        => path.EndsWith(".parquet", StringComparison.OrdinalIgnoreCase) ? 1
            : path.EndsWith(".txt", StringComparison.OrdinalIgnoreCase) ? 2 : 0;

    private static string Words(string path) => Separators().Replace(path.ToLowerInvariant(), " ").Replace('\\', '/');

    private static string LastPart(string words) => words[(words.LastIndexOf('/') + 1)..];

    [GeneratedRegex("[-_. ]+", RegexOptions.CultureInvariant, Timeout.Infinite)]
    private static partial Regex Separators();

    [GeneratedRegex("-[0-9]+-of-[0-9]+(?=\\.)", RegexOptions.CultureInvariant, Timeout.Infinite)]
    private static partial Regex Part();

    [GeneratedRegex(
        "\\b(train|test|dev|val|valid|validation|labels)\\b",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, Timeout.Infinite)]
    private static partial Regex OtherSplit();
}
