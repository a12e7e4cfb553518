using AnTransformer.Files;

namespace AnTransformer.Training.Data.Preparation;

/// <summary>
/// What lies below a directory, each real directory once: hidden entries are skipped, and links to directories are
/// followed unless they lead upward (to a directory that the link itself lies in) or to one that has been visited. Real
/// names come before links, so that what has both is found under its real one. The order is the same on every machine.
/// </summary>
internal sealed class DirectoryTree
{
    private static readonly EnumerationOptions Visible =
        new() { AttributesToSkip = FileAttributes.Hidden | FileAttributes.System, IgnoreInaccessible = false };

    private readonly Queue<string> _pending = new();
    private readonly Queue<string> _links = new();
    private readonly HashSet<FileIdentity> _visited = [];
    private readonly CancellationToken _stop;

    private DirectoryTree(string root, CancellationToken stop)
    {
        _stop = stop;
        Visit(root, FileStatus.Of(root));
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            if (_pending.TryDequeue(out var directory))
                List(directory);
            else if (_links.TryDequeue(out var link))
                Follow(link);
            else
                return;
        }
    }

    /// <summary>Everything that is neither a directory nor leads to one, links to files last.</summary>
    public List<string> Files { get; } = [];

    /// <summary>The directories visited, the root first.</summary>
    public List<string> Directories { get; } = [];

    /// <summary>Links to directories that were not followed.</summary>
    public List<LeftOutFile> LinksLeftOut { get; } = [];

    /// <summary>Walks a tree.</summary>
    /// <exception cref="IOException">A directory cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">A directory may not be read.</exception>
    public static DirectoryTree Walk(string root, CancellationToken stop = default) => new(root, stop);

    /// <summary>Whether a file lies in a directory, at any depth, by whatever names.</summary>
    public static bool IsInside(string path, FileIdentity directory) => Ancestors(path).Contains(directory);

    private static IEnumerable<FileIdentity> Ancestors(string path)
    {
        var directory = Path.GetDirectoryName(path);
        if (string.IsNullOrEmpty(directory))
            directory = Path.GetPathRoot(path) is { Length: > 0 } root ? root : ".";
        if (OperatingSystem.IsWindows())
        {
            for (var name = Path.GetFullPath(directory); name is not null; name = Path.GetDirectoryName(name))
            {
                if (FileStatus.Of(name) is { } status)
                    yield return status.Identity;
            }

            yield break;
        }

        // The system's own "..", which leads to the real parent whatever links the path goes through; the root's is the
        // root.
        FileIdentity? last = null;
        for (var name = directory; FileStatus.Of(name) is { } status && status.Identity != last; name += "/..")
            yield return last = status.Identity;
    }

    private void List(string directory)
    {
        var entries = new DirectoryInfo(directory).EnumerateFileSystemInfos("*", Visible);
        foreach (var entry in entries.OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            _stop.ThrowIfCancellationRequested();
            var path = Path.Combine(directory, entry.Name);
            if (entry.Attributes.HasFlag(FileAttributes.ReparsePoint))
                _links.Enqueue(path);
            else if (entry.Attributes.HasFlag(FileAttributes.Directory))
                Visit(path, FileStatus.Of(path));
            else
                Files.Add(path);
        }
    }

    private void Follow(string link)
    {
        if (FileStatus.Of(link) is not { } status)
            LinksLeftOut.Add(new LeftOutFile(link, "a link that leads nowhere"));
        else if (status.Kind != FileKind.Directory)
            Files.Add(link);
        else if (Ancestors(link).Contains(status.Identity))
            LinksLeftOut.Add(new LeftOutFile(link, "a link to a directory above it"));
        else if (!Visit(link, status))
            LinksLeftOut.Add(new LeftOutFile(link, "a link to a directory that is read already"));
    }

    private bool Visit(string directory, FileStatus? status)
    {
        if (status is not null && !_visited.Add(status.Identity))
            return false;
        Directories.Add(directory);
        _pending.Enqueue(directory);
        return true;
    }
}
