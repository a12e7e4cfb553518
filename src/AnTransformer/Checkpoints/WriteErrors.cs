namespace AnTransformer.Checkpoints;

/// <summary>Turns failures of the file system into a cause and a remedy.</summary>
internal static class WriteErrors
{
    // errno of Linux and macOS, and the codes of Windows, as .NET puts them into HResult.
    private static readonly int[] DiskFull = [28, 122, 69, unchecked((int)0x80070070), unchecked((int)0x80070027)];
    private static readonly int[] ReadOnly = [30, unchecked((int)0x80070013)];
    private static readonly int[] NoDescriptors = [24, 23, unchecked((int)0x80070004)];

    /// <summary>The exception is the file system's.</summary>
    public static bool Covers(Exception e) => e is IOException or UnauthorizedAccessException;

    /// <summary>The exception for the user.</summary>
    /// <param name="path">What was to be written.</param>
    /// <param name="e">What the file system said.</param>
    public static InvalidInputException Explain(string path, Exception e)
    {
        var remedy =
            DiskFull.Contains(e.HResult) ? "free space there or choose another place"
            : ReadOnly.Contains(e.HResult) ? "choose a place on a file system that is not read-only"
            : NoDescriptors.Contains(e.HResult) ? "close other programs or raise the limit on open files (ulimit -n)"
            : e is UnauthorizedAccessException ? "choose a place that you may write to"
            : e is PathTooLongException ? "choose a shorter path"
            : "check the path and the disk";
        return new InvalidInputException(
            $"Cannot write '{path}': {e.Message.TrimEnd('.')}; {remedy}. What was there before is intact.", e);
    }
}
