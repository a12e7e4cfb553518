using AnTransformer.Checkpoints;

namespace AnTransformer.Training.Runs;

/// <summary>
/// The directory of one run: <c>checkpoints/</c>, <c>metrics.jsonl</c>, <c>tensorboard/</c>, <c>config.yaml</c>, plots,
/// and a lock that keeps a second run out for as long as this one lives.
/// </summary>
public sealed class RunDirectory : IDisposable
{
    /// <summary>File name of the configuration.</summary>
    public const string ConfigurationFile = "config.yaml";

    private const string LockFile = "run.lock";
    private readonly FileLock _lock;

    private RunDirectory(string path, FileLock @lock)
    {
        Root = path;
        _lock = @lock;
    }

    /// <summary>The directory.</summary>
    public string Root { get; }

    /// <summary>Where checkpoints lie, one directory each, named by <see cref="CheckpointPath"/>.</summary>
    public string Checkpoints => CheckpointsOf(Root);

    /// <summary>The metrics, one JSON object per line.</summary>
    public string Metrics => Path.Combine(Root, "metrics.jsonl");

    /// <summary>What inspections found, one JSON object per line.</summary>
    public string Inspection => Path.Combine(Root, "inspection.jsonl");

    /// <summary>TensorBoard's event files.</summary>
    public string TensorBoard => Path.Combine(Root, "tensorboard");

    /// <summary>The configuration with every default resolved.</summary>
    public string Configuration => Path.Combine(Root, ConfigurationFile);

    /// <summary>The loss plot without its extension.</summary>
    public string Plot => Path.Combine(Root, "loss");

    /// <summary>Creates or opens a run's directory, locks it, and clears it of what killed runs have left.</summary>
    /// <param name="path">The directory.</param>
    /// <exception cref="InvalidInputException">It cannot be written, or another run holds it.</exception>
    public static RunDirectory Open(string path)
    {
        var full = Path.GetFullPath(path);
        var held = FileLock.TryTake(Path.Combine(full, LockFile)) ?? throw new InvalidInputException(
            $"{path}: another run is using this directory; wait for it to end or choose another training.output.");
        var run = new RunDirectory(full, held);
        AtomicDirectory.RemoveStale(run.Root);
        AtomicDirectory.RemoveStale(run.Checkpoints);
        return run;
    }

    /// <summary>Whether a run holds a directory now.</summary>
    /// <param name="path">The directory; it need not exist.</param>
    public static bool IsInUse(string path) => FileLock.IsHeld(Path.Combine(path, LockFile));

    /// <summary>Deletes a finished run's checkpoints and their marker; whatever else lies there stays.</summary>
    /// <param name="root">The run's directory.</param>
    /// <exception cref="InvalidInputException">The file system does not let one be deleted.</exception>
    /// <exception cref="IOException">The same, of the marker.</exception>
    public static void DeleteCheckpoints(string root)
    {
        var checkpoints = CheckpointsOf(root);
        AtomicDirectory.RemoveStale(checkpoints);
        CheckpointRetention.DeleteAll(checkpoints);
        if (!Directory.Exists(checkpoints))
            return;
        BestCheckpoint.Unmark(root);
        if (!Directory.EnumerateFileSystemEntries(checkpoints).Any())
            Directory.Delete(checkpoints);
    }

    /// <summary>The directory of a step's checkpoint.</summary>
    /// <param name="step">Steps taken.</param>
    public string CheckpointPath(long step) => Path.Combine(Checkpoints, CheckpointRetention.DirectoryName(step));

    /// <summary>The newest checkpoint, or null when there is none.</summary>
    public string? Latest() => Latest(Root);

    /// <summary>The newest checkpoint in a run directory, or null when there is none.</summary>
    /// <param name="root">The run directory.</param>
    public static string? Latest(string root)
        => CheckpointRetention.List(CheckpointsOf(root)) is [.., var last] ? last.Path : null;

    /// <summary>Deletes all checkpoints but the newest ones and the best.</summary>
    /// <param name="keep">How many of the newest to keep.</param>
    public void Prune(int keep) => CheckpointRetention.Prune(Checkpoints, keep, BestCheckpoint.Find(Root)?.Step);

    /// <inheritdoc/>
    public void Dispose() => _lock.Dispose();

    private static string CheckpointsOf(string root) => Path.Combine(root, "checkpoints");
}
