namespace AnTransformer.Checkpoints;

/// <summary>
/// Writes a directory that is there whole or not at all: into a temporary sibling (<c>.NAME.tmp-ID</c>), every file and
/// directory forced to the disk, then renamed to its name.
/// </summary>
/// <remarks>
/// A directory that exists is replaced. On Linux's usual file systems the two exchange names in one step, so that at any moment
/// the path holds the earlier directory or the new one, whole. Elsewhere the earlier one is renamed to <c>.NAME.old-ID</c>
/// first; after a crash between the two renames the path is missing while both versions are whole beside it, and
/// <see cref="RemoveStale"/>, to be called before reading, puts the earlier one back.
/// </remarks>
public static class AtomicDirectory
{
    /// <summary>Writes a directory.</summary>
    /// <param name="path">The directory; replaced when it exists. Missing parent directories are created.</param>
    /// <param name="fill">Writes the files into the directory that it is given. An exception leaves all as it was.</param>
    /// <exception cref="InvalidInputException">
    /// The file system refuses, e.g. because it is full; the message names the path, the cause and the remedy.
    /// </exception>
    public static void Write(string path, Action<string> fill) => Write(path, fill, FileSystem.TryExchange);

    /// <summary>
    /// Removes the temporary siblings that processes which died while writing left in a directory, and restores an earlier
    /// version whose replacement they did not finish. Those of living processes stay.
    /// </summary>
    /// <param name="parent">The directory that holds what was being written, e.g. a run's checkpoints.</param>
    /// <returns>The paths that were removed or restored.</returns>
    public static IReadOnlyList<string> RemoveStale(string parent) => Staging.RemoveStale(parent);

    /// <summary>See the public overload; tests choose how names are exchanged.</summary>
    internal static void Write(string path, Action<string> fill, Func<string, string, bool> tryExchange)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(fill);
        try
        {
            var target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
            if (File.Exists(target))
                throw new IOException("there is a file of that name");
            using var staging = new Staging(target);
            Directory.CreateDirectory(staging.New);
            fill(staging.New);
            FileSystem.FlushTree(staging.New);
            Rename(staging, target, tryExchange);
            FileSystem.FlushDirectory(staging.Parent);
        }
        catch (Exception e) when (WriteErrors.Covers(e))
        {
            throw WriteErrors.Explain(path, e);
        }
    }

    /// <summary>Deletes a directory so that a crash leaves it whole or gone, never half.</summary>
    /// <param name="path">A directory.</param>
    /// <exception cref="InvalidInputException">The file system refuses.</exception>
    internal static void Delete(string path)
    {
        try
        {
            using var staging = new Staging(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
            Directory.Move(path, staging.New);
            FileSystem.FlushDirectory(staging.Parent);
        }
        catch (Exception e) when (WriteErrors.Covers(e))
        {
            throw WriteErrors.Explain(path, e);
        }
    }

    private static void Rename(Staging staging, string target, Func<string, string, bool> tryExchange)
    {
        if (!Directory.Exists(target))
        {
            Directory.Move(staging.New, target);
            return;
        }

        // What was exchanged is under the temporary name now, and goes with it.
        if (tryExchange(staging.New, target))
            return;

        Directory.Move(target, staging.Old);
        try
        {
            Directory.Move(staging.New, target);
        }
        catch
        {
            Directory.Move(staging.Old, target);
            throw;
        }
    }
}
