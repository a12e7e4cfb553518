namespace AnTransformer.Checkpoints;

/// <summary>
/// A file that one process at a time holds locked. The lock ends with the process, however that ends; the file stays.
/// </summary>
public sealed class FileLock : IDisposable
{
    // EWOULDBLOCK of Linux and of macOS; sharing and lock violation of Windows.
    private static readonly int[] HeldByAnother = [11, 35, unchecked((int)0x80070020), unchecked((int)0x80070021)];

    private readonly FileStream _stream;

    private FileLock(FileStream stream) => _stream = stream;

    /// <summary>Takes a lock.</summary>
    /// <param name="path">The file; it and its directory are created when missing.</param>
    /// <returns>Null when it is held already.</returns>
    /// <exception cref="InvalidInputException">
    /// The file cannot be made or opened, e.g. because its file system is read-only; the message names the cause and
    /// the remedy.
    /// </exception>
    public static FileLock? TryTake(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            return TryOpen(path);
        }
        catch (Exception e) when (WriteErrors.Covers(e))
        {
            throw WriteErrors.Explain(path, e);
        }
    }

    /// <summary>Whether a lock is held now, in this process or another.</summary>
    /// <param name="path">The file; it need not exist.</param>
    public static bool IsHeld(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            return false;
        }
        catch (IOException e)
        {
            return HeldByAnother.Contains(e.HResult);
        }
        catch (UnauthorizedAccessException)
        {
            // Another user's, or a directory: not a matter of waiting.
            return false;
        }
    }

    /// <summary>Gives the lock up; the file stays.</summary>
    public void Dispose() => _stream.Dispose();

    /// <summary>Takes a lock in a directory that exists; null when it is held already.</summary>
    /// <exception cref="IOException">The file cannot be made or opened.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    internal static FileLock? TryOpen(string path)
    {
        try
        {
            return new FileLock(
                new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0));
        }
        catch (IOException e) when (HeldByAnother.Contains(e.HResult))
        {
            return null;
        }
    }
}
