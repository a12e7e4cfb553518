namespace AnTransformer.Training.Data.Preparation;

/// <summary>
/// A directory that comes into being at once or not at all: it is filled under a temporary name beside the final one and
/// renamed by <see cref="Commit"/>. A lock keeps a second run with the same output away; what a killed run left is cleared by
/// the next.
/// </summary>
internal sealed class OutputDirectory : IDisposable
{
    private const string LockName = ".lock";

    private readonly string _finalPath;
    private readonly bool _replace;
    private readonly FileStream _lock;
    private bool _committed;

    private OutputDirectory(string finalPath, bool replace, FileStream lockStream)
    {
        _finalPath = finalPath;
        _replace = replace;
        _lock = lockStream;
    }

    /// <summary>Where to write until <see cref="Commit"/>.</summary>
    public string WorkPath => _finalPath + ".partial";

    /// <param name="path">The final directory: missing, empty, or with <paramref name="overwrite"/> a data set.</param>
    /// <param name="overwrite">Whether a data set may be replaced.</param>
    /// <exception cref="InvalidInputException">The directory must not be replaced, or another run is making it.</exception>
    /// <exception cref="IOException">The temporary directory cannot be made.</exception>
    public static OutputDirectory Create(string path, bool overwrite)
    {
        var finalPath = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (File.Exists(finalPath))
            throw new InvalidInputException($"The output '{path}' is a file; name a directory to make.");
        var exists = Directory.Exists(finalPath);
        if (exists && Directory.EnumerateFileSystemEntries(finalPath).Any())
        {
            if (!overwrite)
                throw new InvalidInputException($"The output directory '{path}' exists; choose another or allow overwriting.");
            if (!File.Exists(Path.Combine(finalPath, DatasetInfo.FileName)))
            {
                throw new InvalidInputException(
                    $"The output directory '{path}' is no data set (it has no {DatasetInfo.FileName}) and is " +
                    "not overwritten; choose another.");
            }
        }
        var workPath = finalPath + ".partial";
        Directory.CreateDirectory(workPath);
        FileStream lockStream;
        try
        {
            lockStream =
                new FileStream(Path.Combine(workPath, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException exception) when (File.Exists(Path.Combine(workPath, LockName)))
        {
            throw new InvalidInputException(
                $"Another run is making '{path}' (it holds '{workPath}'); wait for it or choose another " +
                "output directory.", exception);
        }
        foreach (var file in Directory.GetFiles(workPath).Where(file => Path.GetFileName(file) != LockName))
            File.Delete(file);
        foreach (var directory in Directory.GetDirectories(workPath))
            Directory.Delete(directory, recursive: true);
        return new OutputDirectory(finalPath, exists, lockStream);
    }

    /// <summary>Gives the directory its name; an old one is out of the way first and deleted last.</summary>
    public void Commit()
    {
        // Windows moves no directory with an open file in it.
        _lock.Dispose();
        File.Delete(_lock.Name);
        if (_replace)
        {
            var old = _finalPath + ".replaced";
            if (Directory.Exists(old))
                Directory.Delete(old, recursive: true);
            Directory.Move(_finalPath, old);
            Directory.Move(WorkPath, _finalPath);
            _committed = true;
            Directory.Delete(old, recursive: true);
        }
        else
        {
            Directory.Move(WorkPath, _finalPath);
            _committed = true;
        }
    }

    /// <summary>Deletes the temporary directory unless it has been committed.</summary>
    public void Dispose()
    {
        _lock.Dispose();
        if (!_committed && Directory.Exists(WorkPath))
            Directory.Delete(WorkPath, recursive: true);
    }
}
