using System.IO.Enumeration;
using AnTransformer.Training.Data.Preparation;

namespace AnTransformer.Training.Data;

/// <summary>
/// Files by name or by pattern: <c>*</c> and <c>?</c> within a name, <c>**</c> for directories at any depth.
/// </summary>
internal static class FilePattern
{
    private static readonly EnumerationOptions Visible =
        new() { AttributesToSkip = FileAttributes.Hidden | FileAttributes.System };

    private static readonly string[] AnyName = ["*"];

    /// <summary>
    /// The files that match, in ordinal order; a file of exactly this name wins over its reading as a pattern.
    /// <c>**</c> visits each directory once, as <see cref="DirectoryTree"/> does.
    /// </summary>
    /// <param name="pattern">A file or a pattern.</param>
    /// <param name="stop">Ends the search.</param>
    public static IReadOnlyList<string> Expand(string pattern, CancellationToken stop = default)
    {
        if (File.Exists(pattern))
            return [pattern];
        if (!pattern.AsSpan().ContainsAny('*', '?'))
            return [];
        var root = Path.GetPathRoot(pattern) ?? "";
        var segments = pattern[root.Length..].Split(
            [Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar], StringSplitOptions.RemoveEmptyEntries);
        var files = new List<string>(Match(root, segments, stop).Distinct());
        files.Sort(string.CompareOrdinal);
        return files;
    }

    private static IEnumerable<string> Match(string directory, ReadOnlyMemory<string> segments, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        var segment = segments.Span[0];
        var rest = segments[1..];
        var place = directory.Length == 0 ? "." : directory;
        if (!Directory.Exists(place))
            return [];
        if (segment == "**")
        {
            return DirectoryTree.Walk(place, stop).Directories
                .Select(found => directory.Length == 0 ? Path.GetRelativePath(".", found) : found)
                .SelectMany(found => Match(found == "." ? "" : found, rest.IsEmpty ? AnyName : rest, stop));
        }
        if (!segment.AsSpan().ContainsAny('*', '?'))
        {
            var path = Path.Combine(directory, segment);
            return !rest.IsEmpty ? Match(path, rest, stop) : File.Exists(path) ? [path] : [];
        }
        return rest.IsEmpty
            ? Children(place, directory, Directory.EnumerateFiles).Where(Matches)
            : Children(place, directory, Directory.EnumerateDirectories).Where(Matches)
                .SelectMany(child => Match(child, rest, stop));

        bool Matches(string path) => FileSystemName.MatchesSimpleExpression(
            segment, Path.GetFileName(path), ignoreCase: false);
    }

    private static IEnumerable<string> Children(
        string place, string directory, Func<string, string, EnumerationOptions, IEnumerable<string>> enumerate) =>
        enumerate(place, "*", Visible).Select(path => Path.Combine(directory, Path.GetFileName(path)));
}
