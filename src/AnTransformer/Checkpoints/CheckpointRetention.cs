using System.Globalization;

namespace AnTransformer.Checkpoints;

/// <summary>A checkpoint of a run.</summary>
/// <param name="Path">Its directory.</param>
/// <param name="Step">The optimizer step after which it was written.</param>
public sealed record CheckpointDirectory(string Path, long Step);

/// <summary>The checkpoints of a run: directories <c>step-00000100</c> in the run's directory.</summary>
public static class CheckpointRetention
{
    private const string Prefix = "step-";
    private const string Model = "model.safetensors";

    /// <summary>The name of a step's directory: <c>step-00000100</c> for step 100.</summary>
    /// <param name="step">Not negative.</param>
    public static string DirectoryName(long step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        return string.Create(CultureInfo.InvariantCulture, $"{Prefix}{step:D8}");
    }

    /// <summary>The complete checkpoints in the order of their steps.</summary>
    /// <param name="directory">The run's directory; an empty list when it does not exist.</param>
    /// <remarks>
    /// A directory has its name only when it is complete (<see cref="AtomicDirectory"/>); others are passed over.
    /// </remarks>
    public static IReadOnlyList<CheckpointDirectory> List(string directory)
    {
        if (!Directory.Exists(directory))
            return [];
        return
        [
            .. from path in Directory.EnumerateDirectories(directory, Prefix + "*")
               let step = StepOf(Path.GetFileName(path))
               where step is not null && File.Exists(Path.Combine(path, Model))
               orderby step
               select new CheckpointDirectory(path, step.Value),
        ];
    }

    /// <summary>
    /// Deletes all checkpoints but the last ones and the best; each goes whole or not at all, and links stay.
    /// </summary>
    /// <param name="directory">The run's directory.</param>
    /// <param name="keepLast">How many of the latest stay, at least 1.</param>
    /// <param name="bestStep">
    /// The step of the checkpoint with the lowest validation loss, which stays, too; or null.
    /// </param>
    /// <returns>The paths that were deleted.</returns>
    /// <exception cref="InvalidInputException">The file system does not let one be deleted.</exception>
    public static IReadOnlyList<string> Prune(string directory, int keepLast, long? bestStep = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(keepLast, 1);
        var checkpoints = List(directory);
        return Delete(checkpoints.SkipLast(keepLast).Where(c => c.Step != bestStep));
    }

    /// <summary>
    /// Deletes all checkpoints; each goes whole or not at all, and what is no checkpoint stays, links included.
    /// </summary>
    /// <param name="directory">The run's directory.</param>
    /// <returns>The paths that were deleted.</returns>
    /// <exception cref="InvalidInputException">The file system does not let one be deleted.</exception>
    public static IReadOnlyList<string> DeleteAll(string directory) => Delete(List(directory));

    private static List<string> Delete(IEnumerable<CheckpointDirectory> checkpoints)
    {
        var paths = checkpoints.Select(checkpoint => checkpoint.Path).Where(path => !FileSystem.IsLink(path)).ToList();
        paths.ForEach(AtomicDirectory.Delete);
        return paths;
    }

    private static long? StepOf(string name) =>
        long.TryParse(name.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var step)
        && name == DirectoryName(step)
            ? step
            : null;
}
