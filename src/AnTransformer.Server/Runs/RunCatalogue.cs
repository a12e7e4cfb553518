using AnTransformer.Training.Metrics;
using AnTransformer.Training.Runs;

namespace AnTransformer.Server.Runs;

/// <summary>
/// The runs and reports under a folder, as they are now. What a client names is looked up among them; no path is made
/// of it.
/// </summary>
/// <param name="root">The folder.</param>
internal sealed class RunCatalogue(string root)
{
    // studies/NAME/runs/RUN, and a folder of such folders.
    private const int Depth = 5;
    private const int Most = 2000;
    private const string MetricsFile = "metrics.jsonl";
    private const string ReportFile = "report.html";

    /// <summary>Directories of runs, by their paths within the folder, the last written first.</summary>
    public IReadOnlyList<RunEntry> Runs()
        => [
            .. Find(MetricsFile).Select(file => new RunEntry(
                NameOf(file.DirectoryName!), file.DirectoryName!, file.LastWriteTimeUtc,
                RunDirectory.IsInUse(file.DirectoryName!))).OrderByDescending(run => run.Written),
        ];

    /// <summary>A run by its name, or null.</summary>
    public RunEntry? FindRun(string? name) => Runs().FirstOrDefault(run => run.Name == name);

    /// <summary>Names of studies and inspections that have a page of their own.</summary>
    public IReadOnlyList<string> Reports()
        => [.. Find(ReportFile).Select(file => NameOf(file.DirectoryName!)).Order(StringComparer.Ordinal)];

    /// <summary>The file of a report, or null.</summary>
    public string? FindReport(string? name)
        => Find(ReportFile).FirstOrDefault(file => NameOf(file.DirectoryName!) == name)?.FullName;

    /// <summary>The records of a run, also of one that is being written.</summary>
    /// <exception cref="InvalidInputException">The file is damaged.</exception>
    public static IReadOnlyList<MetricsRecord> Metrics(RunEntry run)
        => MetricsLog.Read(Path.Combine(run.Path, MetricsFile));

    private IEnumerable<FileInfo> Find(string file)
    {
        var options = new EnumerationOptions
        {
            RecurseSubdirectories = true,
            MaxRecursionDepth = Depth,
            IgnoreInaccessible = true,
            AttributesToSkip = FileAttributes.ReparsePoint,     // no link leads out of the folder
        };
        try
        {
            return [.. new DirectoryInfo(root).EnumerateFiles(file, options).Take(Most)];
        }
        catch (IOException)
        {
            // Gone, or not made yet: a study that has not begun.
            return [];
        }
    }

    private string NameOf(string directory)
        => Path.GetRelativePath(root, directory) is var name && name == "."
            ? Path.GetFileName(Path.GetFullPath(root))
            : name.Replace('\\', '/');
}

/// <summary>A run that was found.</summary>
/// <param name="Name">Its path within the folder.</param>
/// <param name="Path">Its directory.</param>
/// <param name="Written">When it was last written.</param>
/// <param name="IsRunning">Whether it is being trained now.</param>
internal sealed record RunEntry(string Name, string Path, DateTime Written, bool IsRunning);
