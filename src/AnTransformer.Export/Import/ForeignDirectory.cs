namespace AnTransformer.Export.Import;

/// <summary>A directory that somebody else made: which of its files may be read.</summary>
/// <remarks>
/// A link is followed within the directory, and into the blobs of a Hugging Face cache, whose snapshots consist of such
/// links (<c>snapshots/REVISION/model.safetensors → ../../blobs/HASH</c>); elsewhere it could make any file of this
/// machine part of a checkpoint that is then passed on.
/// </remarks>
internal static class ForeignDirectory
{
    /// <summary>The path of a file of the directory, or null where there is none.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="name">A plain file name.</param>
    /// <exception cref="InvalidInputException">It is a link that leads out of the directory.</exception>
    public static string? Find(string directory, string name)
    {
        var path = Path.Combine(directory, name);
        if (!File.Exists(path))
            return null;
        FileSystemInfo? target;
        try
        {
            target = File.ResolveLinkTarget(path, returnFinalTarget: true);
        }
        catch (IOException e)
        {
            throw new InvalidInputException(
                $"{path}: is a link that leads nowhere ({e.Message.TrimEnd('.')}); put the file there.", e);
        }

        if (target is null)
            return path;
        var full = Path.GetFullPath(directory);
        var blobs = Path.GetFullPath(Path.Combine(full, "..", "..", "blobs"));
        return IsIn(full, target.FullName) || IsIn(blobs, target.FullName)
            ? path
            : throw new InvalidInputException(
                $"{path}: is a link to a place outside of the directory; put the file itself there.");
    }

    /// <summary>
    /// Whether a name from a file of the directory names a file of it: no path, nothing hidden, nothing reserved.
    /// </summary>
    /// <param name="name">Any text.</param>
    public static bool IsPlainName(string name)
        => name.Length is > 0 and <= 255 && name[0] != '.'
            && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_' or '+' or ' ');

    private static bool IsIn(string directory, string path)
        => path.StartsWith(
            Path.TrimEndingDirectorySeparator(directory) + Path.DirectorySeparatorChar, StringComparison.Ordinal);
}
