using AnTransformer.Checkpoints;
using AnTransformer.Training.Runs;

namespace AnTransformer.Studies.Running;

/// <summary>
/// The directory of a study: <c>runs/</c>, tables, plots and the report. Several sessions may work in it at a time.
/// </summary>
public sealed class StudyDirectory
{
    private StudyDirectory(string root) => Root = root;

    /// <summary>The directory.</summary>
    public string Root { get; }

    /// <summary>The study's configuration, every field given.</summary>
    public string Configuration => Path.Combine(Root, "study.yaml");

    /// <summary>A row per run.</summary>
    public string RunsTable => Path.Combine(Root, "runs.csv");

    /// <summary>Everything, for other programs.</summary>
    public string Results => Path.Combine(Root, "results.json");

    /// <summary>The report.</summary>
    public string Report => Path.Combine(Root, "report.html");

    /// <summary>Where those who work on the study announce themselves.</summary>
    internal string Workers => Path.Combine(Root, "workers");

    /// <summary>Creates or opens a study's directory.</summary>
    /// <param name="path">The directory.</param>
    /// <exception cref="InvalidInputException">It cannot be written.</exception>
    public static StudyDirectory Open(string path)
    {
        var full = Path.GetFullPath(path);
        try
        {
            Directory.CreateDirectory(full);
        }
        catch (Exception e) when (WriteErrors.Covers(e))
        {
            throw WriteErrors.Explain(path, e);
        }

        AtomicDirectory.RemoveStale(full);
        return new StudyDirectory(full);
    }

    /// <summary>A study's directory to read from, whether it exists or not and whoever is at work in it.</summary>
    /// <param name="path">The directory.</param>
    public static StudyDirectory Peek(string path) => new(Path.GetFullPath(path));

    /// <summary>The directory of a run.</summary>
    /// <param name="run">A run.</param>
    public string RunPath(PlannedRun run) => Path.Combine(Root, "runs", run.Name);

    /// <summary>The result of a run, or null when it has none yet.</summary>
    /// <param name="run">A run.</param>
    /// <exception cref="InvalidInputException">The file is damaged or of other settings.</exception>
    public RunResult? ReadResult(PlannedRun run) => RunResultFile.Read(ResultPath(run), run);

    /// <summary>Writes the result of a run; from then on the run counts as done.</summary>
    /// <param name="run">The run.</param>
    /// <param name="result">Its result.</param>
    /// <exception cref="InvalidInputException">It cannot be written.</exception>
    public void WriteResult(PlannedRun run, RunResult result) => RunResultFile.Write(ResultPath(run), result);

    /// <summary>Deletes a finished run's checkpoints, which nothing needs once it has a result.</summary>
    /// <param name="run">The run.</param>
    /// <exception cref="InvalidInputException">The file system does not let one be deleted.</exception>
    /// <exception cref="IOException">The same.</exception>
    public void DeleteCheckpoints(PlannedRun run) => RunDirectory.DeleteCheckpoints(RunPath(run));

    /// <summary>Clears the directory of a run, which nobody carries out, of what killed sessions have left.</summary>
    /// <param name="run">The run.</param>
    internal void RemoveStale(PlannedRun run) => AtomicDirectory.RemoveStale(RunPath(run));

    private string ResultPath(PlannedRun run) => Path.Combine(RunPath(run), "result.json");
}
