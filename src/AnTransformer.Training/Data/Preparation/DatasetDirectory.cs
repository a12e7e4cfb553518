using AnTransformer.Training.Tokenization.Files;

namespace AnTransformer.Training.Data.Preparation;

/// <summary>Which directories preparing data may replace: whole data sets and nothing else.</summary>
internal static class DatasetDirectory
{
    /// <summary>The file in which training notes what a data set was made from.</summary>
    public const string SettingsFile = "settings.json";

    /// <summary>
    /// Why a directory that is not empty must not be replaced, or null; see <see cref="Checkpoints.AtomicDirectory"/>.
    /// </summary>
    /// <param name="directory">The directory.</param>
    /// <param name="overwrite">Whether a data set may be replaced.</param>
    public static string? Objection(string directory, bool overwrite)
    {
        if (!overwrite)
            return "exists; choose another output directory or allow overwriting (--overwrite)";
        const string remedy = "and is not overwritten; choose another output directory";
        if (Directory.EnumerateFileSystemEntries(directory).FirstOrDefault(entry => !IsPart(entry)) is { } foreign)
            return $"holds '{Path.GetFileName(foreign)}', which is no part of a data set, {remedy}";
        try
        {
            return DatasetInfo.Load(directory) is null
                ? $"is no data set (it has no {DatasetInfo.FileName}) {remedy}"
                : null;
        }
        catch (InvalidInputException)
        {
            return $"is no data set (its {DatasetInfo.FileName} is not that of one) {remedy}";
        }
    }

    private static bool IsPart(string entry)
        => !Directory.Exists(entry)
            && (Path.GetFileName(entry) is DatasetInfo.FileName or TokenizerJsonWriter.FileName
                or SpecialTokenFiles.ConfigurationFile or SettingsFile
                || IsShard(Path.GetFileName(entry)));

    /// <summary>Whether <see cref="SplitWriter"/> gives such names.</summary>
    private static bool IsShard(string name)
        => name.Split('-') is ["train" or "val", { Length: >= 10 } number]
            && number.EndsWith(".bin", StringComparison.Ordinal)
            && number.AsSpan(0, number.Length - 4).IndexOfAnyExceptInRange('0', '9') < 0;
}
