using System.Text;

namespace AnTransformer.Checkpoints;

/// <summary>
/// Writes a file that is there whole or not at all: into a temporary sibling, forced to the disk, then renamed over the
/// target. At any moment, a crash or a full disk included, the path holds the earlier content or the new one. A link is
/// replaced by the file; what it led to stays as it is.
/// </summary>
public static class AtomicFile
{
    /// <summary>Writes a file.</summary>
    /// <param name="path">The file; replaced when it exists. Missing parent directories are created.</param>
    /// <param name="write">Writes the content. An exception leaves the earlier file as it was.</param>
    /// <exception cref="InvalidInputException">
    /// The file system refuses, e.g. because it is full; the message names the path, the cause and the remedy.
    /// </exception>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(write);
        try
        {
            var target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
            using var staging = new Staging(target);
            using (var stream = new FileStream(staging.New, FileMode.CreateNew, FileAccess.Write, FileShare.Read))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(staging.New, target, overwrite: true);
            FileSystem.FlushDirectory(staging.Parent);
        }
        catch (Exception e) when (WriteErrors.Covers(e))
        {
            throw WriteErrors.Explain(path, e);
        }
    }

    /// <summary>Writes a text file in UTF-8 without byte order mark.</summary>
    /// <param name="path">The file; replaced when it exists.</param>
    /// <param name="text">Its content.</param>
    /// <exception cref="InvalidInputException">See <see cref="Write"/>.</exception>
    public static void WriteAllText(string path, string text) => WriteAllBytes(path, Encoding.UTF8.GetBytes(text));

    /// <summary>Writes a file of bytes.</summary>
    /// <param name="path">The file; replaced when it exists.</param>
    /// <param name="bytes">Its content.</param>
    /// <exception cref="InvalidInputException">See <see cref="Write"/>.</exception>
    public static void WriteAllBytes(string path, byte[] bytes) => Write(path, stream => stream.Write(bytes));
}
