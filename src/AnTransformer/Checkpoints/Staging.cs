namespace AnTransformer.Checkpoints;

/// <summary>
/// The temporary names (<see cref="StagingName"/>) beside a file or directory while it is written. What is left when a
/// process dies has a lock that nobody holds, whatever became of its process id; the next write in that directory
/// removes it.
/// </summary>
internal sealed class Staging : IDisposable
{
    private readonly string _target;
    private readonly string _lockPath;
    private readonly FileLock _lock;

    /// <summary>
    /// Creates the parent directory, clears it of what the dead have left, and takes a fresh set of names with its
    /// lock.
    /// </summary>
    /// <param name="target">The full path of what is to be written.</param>
    public Staging(string target)
    {
        _target = target;
        Parent = Path.GetDirectoryName(target)
            ?? throw new IOException("the root of a file system is not to be replaced");
        Directory.CreateDirectory(Parent);
        RemoveStale(Parent);
        var name = Path.GetFileName(target);
        string id;
        (_lock, _lockPath, id) = TakeLock(Parent, name);
        New = Path.Combine(Parent, new StagingName(name, StagingName.New, id).ToString());
        Old = Path.Combine(Parent, new StagingName(name, StagingName.Old, id).ToString());
    }

    /// <summary>The directory of the target.</summary>
    public string Parent { get; }

    /// <summary>Where the new content is written.</summary>
    public string New { get; }

    /// <summary>Where the old content goes where names cannot be exchanged in one step.</summary>
    public string Old { get; }

    /// <summary>Whether another living writer is at the same target.</summary>
    public bool IsContested()
        => Directory.EnumerateFiles(Parent, ".*").Any(path =>
            StagingName.Parse(Path.GetFileName(path)) is { Kind: StagingName.Lock } name
            && name.Name == Path.GetFileName(_target) && path != _lockPath && FileLock.IsHeld(path));

    /// <summary>Deletes what is left under the temporary names, if that is possible, and gives up the lock.</summary>
    public void Dispose()
    {
        // Should neither version have got the name, the old one waits here for RemoveStale.
        var clean = TryDelete(New) & (!Path.Exists(_target) || TryDelete(Old));
        _lock.Dispose();
        if (clean)
            TryDelete(_lockPath);
    }

    /// <summary>
    /// Removes what dead processes left in a directory; an old version whose successor had not taken its name yet gets
    /// it back. What was not made here, and what the file system does not let go, stays.
    /// </summary>
    /// <param name="parent">The directory; nothing happens when it does not exist.</param>
    /// <returns>What was removed or restored.</returns>
    public static List<string> RemoveStale(string parent)
    {
        var removed = new List<string>();
        try
        {
            if (!Directory.Exists(parent))
                return removed;
            foreach (var path in Directory.EnumerateFileSystemEntries(parent, ".*").ToList())
            {
                // Nothing here makes a link of such a name, and what one leads to is somebody else's.
                if (StagingName.Parse(Path.GetFileName(path)) is { } name && !FileSystem.IsLink(path)
                    && RemoveStale(parent, path, name))
                    removed.Add(path);
            }
        }
        catch (Exception e) when (WriteErrors.Covers(e))
        {
            // A directory that cannot be listed: what is to be written there says so.
        }

        return removed;
    }

    private static bool RemoveStale(string parent, string path, StagingName name)
    {
        var lockPath = Path.Combine(parent, (name with { Kind = StagingName.Lock }).ToString());
        try
        {
            using (var held = FileLock.TryOpen(lockPath))
            {
                // Its writer lives.
                if (held is null)
                    return false;
                if (name.Kind != StagingName.Lock && !Settle(parent, path, name))
                    return false;
            }

            return TryDelete(lockPath);
        }
        catch (Exception e) when (WriteErrors.Covers(e))
        {
            // Another user's, or on a file system that is read-only now.
            return false;
        }
    }

    private static bool Settle(string parent, string path, StagingName name)
    {
        var target = Path.Combine(parent, name.Name);
        if (name.Kind != StagingName.Old || Path.Exists(target))
            return TryDelete(path);
        Directory.Move(path, target);
        return true;
    }

    private static (FileLock Lock, string Path, string Id) TakeLock(string parent, string name)
    {
        while (true)
        {
            var id = StagingName.NewId(name);
            var path = Path.Combine(parent, new StagingName(name, StagingName.Lock, id).ToString());
            // RemoveStale may see the file before it is locked here, and lock or delete it.
            var held = FileLock.TryOpen(path);
            if (held is not null && File.Exists(path))
                return (held, path, id);
            held?.Dispose();
        }
    }

    /// <summary>Deletes what lies under a temporary name, links in it as links; false when something is left.</summary>
    private static bool TryDelete(string path)
    {
        try
        {
            if (FileSystem.IsLink(path))
                return false;
            if (Directory.Exists(path))
                Directory.Delete(path, recursive: true);
            else
                File.Delete(path);
            return true;
        }
        catch (DirectoryNotFoundException)
        {
            return true;
        }
        catch (Exception e) when (WriteErrors.Covers(e))
        {
            // The outcome of the write counts; what is left is found again by RemoveStale.
            return false;
        }
    }
}
