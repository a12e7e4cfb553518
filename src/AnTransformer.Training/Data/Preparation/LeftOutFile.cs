namespace AnTransformer.Training.Data.Preparation;

/// <summary>Something in a directory given as input that is not read.</summary>
/// <param name="Path">Where it was found.</param>
/// <param name="Reason">Why, in words that end the sentence "it is …".</param>
public sealed record LeftOutFile(string Path, string Reason)
{
    private const int Named = 5;

    /// <summary>One sentence about all of them; null when there are none.</summary>
    internal static string? Describe(IReadOnlyList<LeftOutFile> files)
    {
        if (files.Count == 0)
            return null;
        var names = string.Join(", ", files.Take(Named).Select(file => $"'{file.Path}' ({file.Reason})"));
        var (noun, verb) = files.Count == 1 ? ("entry", "is") : ("entries", "are");
        return $"{files.Count} {noun} of the directories given {verb} not read: "
            + $"{names}{(files.Count > Named ? ", …" : "")}.";
    }
}
