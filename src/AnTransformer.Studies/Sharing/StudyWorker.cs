using System.Text.Json;

namespace AnTransformer.Studies.Sharing;

/// <summary>
/// This process among those that work on a study: a file whose counter it raises for as long as it lives. Others look
/// at the counter by their own clocks, so that no two hosts need the same time, and no file system needs locks.
/// </summary>
internal sealed class StudyWorker : IDisposable
{
    private readonly string _path;
    private readonly string _study;
    private readonly Timer _timer;
    private readonly Lock _writing = new();
    private long _beats;
    private bool _isDisposed;

    /// <summary>Announces this process.</summary>
    /// <param name="folder">Where workers announce themselves; it exists.</param>
    /// <param name="study">What it works on, a digest: those who share a directory must work on the same.</param>
    /// <param name="heartbeat">Time between two beats.</param>
    /// <exception cref="InvalidInputException">The file cannot be written.</exception>
    public StudyWorker(string folder, string study, TimeSpan heartbeat)
    {
        Id = $"{SafeName(Environment.MachineName)}-{Environment.ProcessId}-{Path.GetRandomFileName()[..8]}";
        (_path, _study) = (PathOf(folder, Id), study);
        try
        {
            Write(FileMode.CreateNew);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"{_path}: cannot be written ({e.Message.TrimEnd('.')}); mend that.", e);
        }

        _timer = new Timer(_ => Beat(), state: null, heartbeat, heartbeat);
    }

    /// <summary>Its name, unique among all.</summary>
    public string Id { get; }

    /// <summary>The file of a worker.</summary>
    /// <param name="folder">Where workers announce themselves.</param>
    /// <param name="id">Its name.</param>
    public static string PathOf(string folder, string id) => Path.Combine(folder, id + ".json");

    /// <summary>Reads what a worker has written; null while there is nothing that can be read.</summary>
    /// <param name="path">Its file.</param>
    public static WorkerFile? Read(string path)
    {
        try
        {
            // Opened anew each time, which is when network file systems look for what others have written.
            using var stream = new FileStream(
                path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            return JsonSerializer.Deserialize<WorkerFile>(stream);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Ends the announcement.</summary>
    public void Dispose()
    {
        lock (_writing)
        {
            _isDisposed = true;
            _timer.Dispose();
            try
            {
                File.Delete(_path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Others will see that it beats no more.
            }
        }
    }

    private static string SafeName(string name)
        => string.Concat(name.Select(letter => char.IsAsciiLetterOrDigit(letter) ? letter : '_'));

    private void Beat()
    {
        lock (_writing)
        {
            if (_isDisposed)
                return;
            _beats++;
            try
            {
                Write(FileMode.OpenOrCreate);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The next one may succeed; when none does, others take over what this process cannot write anyway.
            }
        }
    }

    /// <summary>In place: a file of another inode would be found late where directories are cached.</summary>
    private void Write(FileMode mode)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(
            new WorkerFile(ProcessIdentity.Current, _study, $"{_beats:d12}"));
        using var stream = new FileStream(
            _path, mode, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        stream.Write(bytes);
    }
}

/// <summary>What a worker tells others.</summary>
/// <param name="Process">Who it is.</param>
/// <param name="Study">A digest of what it works on.</param>
/// <param name="Beats">How often it has been alive, always as long.</param>
internal sealed record WorkerFile(ProcessIdentity Process, string Study, string Beats);
