namespace AnTransformer.Checkpoints;

/// <summary>
/// Writes a directory that is there whole or not at all: into a temporary sibling (<c>.NAME.tmp-ID</c>), every file and
/// directory forced to the disk, then renamed to its name.
/// </summary>
/// <remarks>
/// A directory that exists is replaced only when the caller recognizes it as its own, and a link never. On Linux's
/// usual file systems the two exchange names in one step, so that at any moment the path holds the earlier directory or
/// the new one, whole. Elsewhere the earlier one is renamed to <c>.NAME.old-ID</c> first; after a crash between the two
/// renames the path is missing while both versions are whole beside it, and <see cref="RemoveStale"/>, to be called
/// before reading, puts the earlier one back.
/// </remarks>
public static class AtomicDirectory
{
    /// <summary>Writes a directory.</summary>
    /// <param name="path">The directory. Missing parent directories are created.</param>
    /// <param name="fill">
    /// Writes the files into the directory that it is given. An exception leaves all as it was.
    /// </param>
    /// <param name="objection">
    /// Why a directory that exists, and is not empty, must not be replaced, and the remedy, as words that follow its
    /// name ("holds …; choose …"); or null when it may be. Asked before <paramref name="fill"/>, and again of what is
    /// about to be deleted. Without it nothing is replaced.
    /// </param>
    /// <exception cref="InvalidInputException">
    /// The path is a link or a file, must not be replaced, is being written by another process, or the file system
    /// refuses; the message names the path, the cause and the remedy.
    /// </exception>
    public static void Write(string path, Action<string> fill, Func<string, string?>? objection = null)
        => Write(path, fill, objection, FileSystem.TryExchange);

    /// <inheritdoc cref="Write(string, Action{string}, Func{string, string})"/>
    public static Task WriteAsync(string path, Func<string, Task> fill, Func<string, string?>? objection = null)
        => WriteAsync(path, fill, objection, FileSystem.TryExchange);

    /// <summary>
    /// Removes the temporary siblings that processes which died while writing left in a directory, and restores an
    /// earlier version whose replacement they did not finish. Those of living processes stay, and so does what was not
    /// made here. Every write does this in its directory; it remains to be called before reading what a crash may have
    /// left without its name.
    /// </summary>
    /// <param name="parent">The directory that holds what was being written, e.g. a run's checkpoints.</param>
    /// <returns>The paths that were removed or restored.</returns>
    public static IReadOnlyList<string> RemoveStale(string parent) => Staging.RemoveStale(parent);

    /// <summary>See the public overload; tests choose how names are exchanged.</summary>
    internal static void Write(
        string path, Action<string> fill, Func<string, string?>? objection, Func<string, string, bool> tryExchange)
    {
        ArgumentNullException.ThrowIfNull(fill);
        WriteAsync(path, Fill, objection, tryExchange).GetAwaiter().GetResult();

        Task Fill(string directory)
        {
            fill(directory);
            return Task.CompletedTask;
        }
    }

    /// <summary>Deletes a directory so that a crash leaves it whole or gone, never half.</summary>
    /// <param name="path">A directory.</param>
    /// <exception cref="InvalidInputException">The file system refuses.</exception>
    internal static void Delete(string path)
    {
        try
        {
            using var staging = new Staging(FullPath(path));
            Directory.Move(path, staging.New);
            FileSystem.FlushDirectory(staging.Parent);
        }
        catch (Exception e) when (WriteErrors.Covers(e))
        {
            throw WriteErrors.Explain(path, e);
        }
    }

    private static async Task WriteAsync(
        string path, Func<string, Task> fill, Func<string, string?>? objection, Func<string, string, bool> tryExchange)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(fill);
        try
        {
            var target = FullPath(path);
            using var staging = new Staging(target);
            if (staging.IsContested())
            {
                throw new InvalidInputException(
                    $"Another process is making '{path}'; wait for it or choose another name.")
                {
                    IsBusy = true,
                };
            }

            Check(path, target, target, objection);
            Directory.CreateDirectory(staging.New);
            await fill(staging.New).ConfigureAwait(false);
            FileSystem.FlushTree(staging.New);
            Check(path, target, target, objection);
            Rename(staging, target, tryExchange, replaced => Check(path, target, replaced, objection));
            FileSystem.FlushDirectory(staging.Parent);
        }
        catch (Exception e) when (WriteErrors.Covers(e))
        {
            throw WriteErrors.Explain(path, e);
        }
    }

    /// <summary>Refuses what must not be replaced.</summary>
    /// <param name="path">As the caller named it.</param>
    /// <param name="target">The full path.</param>
    /// <param name="place">Where it lies now.</param>
    /// <param name="objection">See <see cref="Write(string, Action{string}, Func{string, string})"/>.</param>
    private static void Check(string path, string target, string place, Func<string, string?>? objection)
    {
        if (FileSystem.IsLink(place))
            throw new InvalidInputException(
                $"'{path}' is a link, which is not replaced; name the directory that it is to lead to.");
        if (File.Exists(place))
            throw new InvalidInputException($"'{path}' is a file; name a directory to make.");
        if (!Directory.Exists(place))
            return;
        if (DriveInfo.GetDrives().Any(drive => Path.TrimEndingDirectorySeparator(drive.Name) == target))
            throw new InvalidInputException(
                $"A file system is mounted at '{path}', which cannot be replaced; name a directory in it.");
        if (!Directory.EnumerateFileSystemEntries(place).Any())
            return;
        if (objection is null)
            throw new InvalidInputException($"'{path}' exists and is not replaced; remove it or choose another name.");
        if (objection(place) is { } reason)
            throw new InvalidInputException($"'{path}' {reason}.");
    }

    private static void Rename(
        Staging staging, string target, Func<string, string, bool> tryExchange, Action<string> check)
    {
        if (!Directory.Exists(target))
        {
            Directory.Move(staging.New, target);
            return;
        }

        // What was exchanged is under the temporary name now, and goes with it; unless it came between.
        if (tryExchange(staging.New, target))
        {
            PutBackOnFailure(
                () => check(staging.New),
                () =>
                {
                    if (!tryExchange(staging.New, target))
                        Directory.Move(staging.New, $"{target}.{Path.GetRandomFileName()}");
                });
            return;
        }

        Directory.Move(target, staging.Old);
        PutBackOnFailure(
            () =>
            {
                check(staging.Old);
                Directory.Move(staging.New, target);
            },
            () => Directory.Move(staging.Old, target));
    }

    private static void PutBackOnFailure(Action action, Action putBack)
    {
        try
        {
            action();
        }
        catch
        {
            putBack();
            throw;
        }
    }

    private static string FullPath(string path) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
}
