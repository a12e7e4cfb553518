using System.Text;

namespace AnTransformer.Files;

/// <summary>
/// The one door for files that somebody else made. Pipes, sockets and devices are refused before they are opened
/// (opening a pipe waits for its writer, a device may have no end), and a file that is read whole is read up to a
/// limit, whatever size it claims.
/// </summary>
internal static class RegularFile
{
    /// <summary>Largest file of a few settings, such as a configuration or a model's <c>config.json</c>.</summary>
    public const int SettingsLimit = 16 << 20;

    /// <summary>Largest file of many entries, such as a <c>tokenizer.json</c> or a table of runs.</summary>
    public const int TableLimit = 1 << 30;

    /// <summary>Opens a file for reading.</summary>
    /// <param name="path">The file, or a link to it.</param>
    /// <param name="bufferSize">Of the stream, in bytes.</param>
    /// <param name="options">How it will be read.</param>
    /// <exception cref="InvalidInputException">It is a directory, a pipe, a socket or a device.</exception>
    /// <exception cref="IOException">It does not exist or cannot be opened.</exception>
    public static FileStream Open(string path, int bufferSize = 4096, FileOptions options = FileOptions.None)
    {
        Require(path);
        return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize, options);
    }

    /// <summary>Refuses what is no regular file; says nothing when nothing is there.</summary>
    /// <exception cref="InvalidInputException">It is a directory, a pipe, a socket or a device.</exception>
    public static void Require(string path)
    {
        if (FileStatus.Of(path) is { Kind: not FileKind.Regular } status)
        {
            throw new InvalidInputException(
                $"'{path}' is {FileStatus.Describe(status.Kind)}; only regular files are read, so write its content to "
                    + "a file and name that.");
        }
    }

    /// <summary>Reads a whole file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="limit">Most bytes that such a file may have.</param>
    /// <exception cref="InvalidInputException">It is no regular file, or larger.</exception>
    /// <exception cref="IOException">It does not exist or cannot be read.</exception>
    public static byte[] ReadAllBytes(string path, int limit)
    {
        using var stream = Open(path, bufferSize: 0);
        if (stream.Length > limit)
            throw TooLarge(path, limit);
        // Some files of the system claim to be empty, and files grow: what counts is what can be read.
        var bytes = new byte[stream.Length];
        var read = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        if (read < bytes.Length)
            return bytes[..read];
        var rest = new MemoryStream();
        var block = new byte[4096];
        while (stream.Read(block) is > 0 and var more)
        {
            rest.Write(block, 0, more);
            if (bytes.Length + rest.Length > limit)
                throw TooLarge(path, limit);
        }

        return rest.Length == 0 ? bytes : [.. bytes, .. rest.ToArray()];
    }

    /// <summary>Reads a whole text file of UTF-8 (or with a byte-order mark UTF-16 or UTF-32).</summary>
    /// <param name="path">The file.</param>
    /// <param name="limit">Most bytes that such a file may have.</param>
    /// <param name="encoding">
    /// How bytes become characters where no mark says; null for UTF-8 with replacement of what is none.
    /// </param>
    /// <exception cref="InvalidInputException">It is no regular file, or larger.</exception>
    /// <exception cref="IOException">It does not exist or cannot be read.</exception>
    public static string ReadAllText(string path, int limit, Encoding? encoding = null)
    {
        using var reader = new StreamReader(new MemoryStream(ReadAllBytes(path, limit)), encoding ?? Encoding.UTF8);
        return reader.ReadToEnd();
    }

    private static InvalidInputException TooLarge(string path, int limit) =>
        new(
            $"'{path}' has more than {limit} bytes, which no such file needs; check that the path names the right "
                + "file.");
}
