using System.Text.RegularExpressions;

namespace AnTransformer.Native;

/// <summary>Which LibTorch is loaded.</summary>
internal static partial class LibTorchVersion
{
    /// <summary>
    /// The version that the folder of a PyTorch installation or of a LibTorch archive states beside its <c>lib</c>,
    /// such as <c>2.10.0+cu128</c>; else that of the packages, <c>2.10</c>.
    /// </summary>
    public static string Find()
    {
        var directory = LibTorch.EnsureLoaded().Directory;
        if (directory is not null && Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(directory)) is { } parent)
        {
            if (ReadFirst(Path.Combine(parent, "version.py"), PythonVersion()) is { } python)
                return python;
            if (ReadFirst(Path.Combine(parent, "build-version"), AnyVersion()) is { } archive)
                return archive;
        }

        return LoadErrors.LibTorchVersion;
    }

    private static string? ReadFirst(string path, Regex pattern)
    {
        try
        {
            return File.Exists(path) && pattern.Match(File.ReadAllText(path)) is { Success: true } match
                ? match.Groups["version"].Value
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;    // a record only
        }
    }

    [GeneratedRegex(
        @"^__version__ *= *'(?<version>[0-9A-Za-z.+-]{1,40})'",
        RegexOptions.Multiline | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex PythonVersion();

    [GeneratedRegex(@"^(?<version>[0-9A-Za-z.+-]{1,40})\s*$", RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex AnyVersion();
}
