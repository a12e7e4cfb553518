using AnTransformer.Checkpoints;

namespace AnTransformer.Training;

/// <summary>
/// The directory of one run: <c>checkpoints/</c>, <c>metrics.jsonl</c>, <c>tensorboard/</c>, <c>config.yaml</c>, plots, and a
/// lock that keeps a second run out for as long as this one lives.
/// </summary>
public sealed class RunDirectory : IDisposable
{
    /// <summary>File name of the configuration.</summary>
    public const string ConfigurationFile = "config.yaml";

    private const string LockFile = "run.lock";
    private readonly FileStream _lock;

    private RunDirectory(string path, FileStream @lock)
    {
        Root = path;
        _lock = @lock;
    }

    /// <summary>The directory.</summary>
    public string Root { get; }

    /// <summary>Where checkpoints lie, one directory each, named by <see cref="CheckpointPath"/>.</summary>
    public string Checkpoints => Path.Combine(Root, "checkpoints");

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

    /// <summary>Creates or opens a run's directory and locks it.</summary>
    /// <param name="path">The directory.</param>
    /// <exception cref="InvalidInputException">It cannot be written, or another run holds it.</exception>
    public static RunDirectory Open(string path)
    {
        var full = Path.GetFullPath(path);
        try
        {
            Directory.CreateDirectory(full);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"{path}: the run directory cannot be created ({e.Message.TrimEnd('.')}); choose another training.output.", e);
        }

        var lockPath = Path.Combine(full, LockFile);
        try
        {
            var stream = new FileStream(lockPath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            var run = new RunDirectory(full, stream);
            if (Directory.Exists(run.Checkpoints))
                AtomicDirectory.RemoveStale(run.Checkpoints);     // what a crash while saving left behind
            return run;
        }
        catch (UnauthorizedAccessException e)
        {
            throw new InvalidInputException($"{path}: the run directory is not writable; choose another training.output.", e);
        }
        catch (IOException e) when (File.Exists(lockPath))
        {
            throw new InvalidInputException($"{path}: another run is using this directory; wait for it to end or choose another training.output.", e);
        }
        catch (IOException e)
        {
            throw new InvalidInputException($"{path}: the run directory cannot be written ({e.Message.TrimEnd('.')}); choose another training.output.", e);
        }
    }

    /// <summary>Whether a run holds a directory now.</summary>
    /// <param name="path">The directory; it need not exist.</param>
    public static bool IsInUse(string path)
    {
        var lockPath = Path.Combine(Path.GetFullPath(path), LockFile);
        if (!File.Exists(lockPath))
            return false;
        try
        {
            using var stream = new FileStream(lockPath, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return false;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
        catch (UnauthorizedAccessException)
        {
            return false;     // not a matter of waiting
        }
        catch (IOException)
        {
            return true;
        }
    }

    /// <summary>The directory of a step's checkpoint.</summary>
    /// <param name="step">Steps taken.</param>
    public string CheckpointPath(long step) => Path.Combine(Checkpoints, CheckpointRetention.DirectoryName(step));

    /// <summary>The newest checkpoint, or null when there is none.</summary>
    public string? Latest() => Latest(Root);

    /// <summary>The newest checkpoint in a run directory, or null when there is none.</summary>
    /// <param name="root">The run directory.</param>
    public static string? Latest(string root) => CheckpointRetention.List(Path.Combine(root, "checkpoints")) is [.., var last] ? last.Path : null;

    /// <summary>Deletes all checkpoints but the newest ones and the best.</summary>
    /// <param name="keep">How many of the newest to keep.</param>
    public void Prune(int keep) => CheckpointRetention.Prune(Checkpoints, keep, BestCheckpoint.Find(Root)?.Step);

    /// <inheritdoc/>
    public void Dispose() => _lock.Dispose();
}
