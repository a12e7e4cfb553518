using System.Security.Cryptography;

namespace AnTransformer.Checkpoints;

/// <summary>
/// The temporary names beside a file or directory while it is written: <c>.NAME.tmp-ID</c> for what is new, <c>.NAME.old-ID</c>
/// for what it replaces, and <c>.NAME.lock-ID</c>, which the writer holds locked. What is left when a process dies has a lock
/// that nobody holds, whatever became of its process id.
/// </summary>
internal sealed class Staging : IDisposable
{
    private readonly string _target;
    private readonly FileStream _lock;

    /// <summary>Takes a fresh set of names and creates the parent directory and the lock.</summary>
    /// <param name="target">The full path of what is to be written.</param>
    public Staging(string target)
    {
        _target = target;
        Parent = Path.GetDirectoryName(target) ?? throw new IOException("the root of a file system is not to be replaced");
        Directory.CreateDirectory(Parent);
        var name = Path.GetFileName(target);
        (_lock, var id) = TakeLock(Parent, name);
        New = Path.Combine(Parent, $".{name}.tmp-{id}");
        Old = Path.Combine(Parent, $".{name}.old-{id}");
    }

    /// <summary>The directory of the target.</summary>
    public string Parent { get; }

    /// <summary>Where the new content is written.</summary>
    public string New { get; }

    /// <summary>Where the old content goes where names cannot be exchanged in one step.</summary>
    public string Old { get; }

    /// <summary>Deletes what is left under the temporary names, if that is possible, and gives up the lock.</summary>
    public void Dispose()
    {
        TryDelete(New);
        // Should neither version have got the name, the old one waits here for RemoveStale.
        if (Path.Exists(_target))
            TryDelete(Old);
        _lock.Dispose();
    }

    /// <summary>
    /// Removes what dead processes left in a directory; an old version whose successor had not taken its name yet gets it back.
    /// </summary>
    /// <param name="parent">The directory; nothing happens when it does not exist.</param>
    /// <returns>What was removed or restored.</returns>
    public static List<string> RemoveStale(string parent)
    {
        var removed = new List<string>();
        if (!Directory.Exists(parent))
            return removed;
        foreach (var path in Directory.EnumerateFileSystemEntries(parent, ".*").ToList())
        {
            if (Parse(Path.GetFileName(path)) is not var (name, kind, id))
                continue;
            var lockPath = Path.Combine(parent, $".{name}.lock-{id}");
            try
            {
                using var held = Lock(lockPath);
                var target = Path.Combine(parent, name);
                if (kind == "old" && !Path.Exists(target))
                    Directory.Move(path, target);
                else if (kind != "lock")
                    TryDelete(path);
                removed.Add(path);
            }
            catch (IOException)
            {
                // Its writer lives.
            }
            catch (UnauthorizedAccessException)
            {
                // Another user's.
            }
        }

        return removed;
    }

    private static (FileStream Lock, string Id) TakeLock(string parent, string name)
    {
        for (var attempt = 1; ; attempt++)
        {
            var id = RandomNumberGenerator.GetHexString(16, lowercase: true);
            try
            {
                // RemoveStale may see the file before it is locked here, and lock or delete it.
                var held = Lock(Path.Combine(parent, $".{name}.lock-{id}"));
                if (File.Exists(held.Name))
                    return (held, id);
                held.Dispose();
            }
            catch (IOException) when (attempt < 3)
            {
            }
        }
    }

    private static FileStream Lock(string path) =>
        new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);

    private static (string Name, string Kind, string Id)? Parse(string fileName)
    {
        var dot = fileName.LastIndexOf('.');
        if (dot < 1)
            return null;
        var parts = fileName[(dot + 1)..].Split('-');
        return parts is [("tmp" or "old" or "lock") and var kind, { Length: 16 } id] && id.All(char.IsAsciiHexDigitLower)
            ? (fileName[1..dot], kind, id)
            : null;
    }

    private static void TryDelete(string path)
    {
        try
        {
            if (Directory.Exists(path))
                Directory.Delete(path, recursive: true);
            else
                File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The outcome of the write counts; what is left is found again by RemoveStale.
        }
    }
}
