using AnTransformer.Checkpoints;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Training.Runs;

/// <summary>The configuration that a run's directory holds, to go on with the run or to train it further.</summary>
public static class SavedRun
{
    // What says when a run ends; training.max_minutes is the third, and no length by itself.
    private static readonly string[] Lengths = ["training.steps", "training.max_tokens"];

    /// <summary>
    /// The configuration of a run, with its directory as output. Where an override gives <c>training.steps</c> or
    /// <c>training.max_tokens</c>, that is the length: what the run had of these and of <c>training.max_minutes</c> no
    /// longer counts.
    /// </summary>
    /// <param name="directory">The run's directory.</param>
    /// <param name="overrides">Keys and values as <see cref="ConfigurationBinder"/> takes them.</param>
    /// <exception cref="InvalidInputException">
    /// There is no run, its configuration cannot be read, or an override cannot be used.
    /// </exception>
    public static TrainingConfiguration Load(string directory, IReadOnlyList<(string Key, string Value)> overrides)
    {
        var (configuration, place) = Read(directory);
        var given = overrides.Select(item => item.Key.TrimStart('-'))
            .Select(name => ConfigurationBinder.Field<TrainingConfiguration>(name, "--" + name).Key)
            .ToHashSet(StringComparer.Ordinal);
        // A run that was itself begun with another choice goes on from its own checkpoint.
        List<(string Key, string Value)> own = [("training.output", directory), ("checkpoint.resume", "auto")];
        if (given.Overlaps(Lengths))
            own.AddRange(
                Lengths.Append("training.max_minutes").Where(key => !given.Contains(key)).Select(key => (key, "null")));
        return ConfigurationBinder.Parse<TrainingConfiguration>(
            ConfigurationBinder.Write(configuration), place, [.. own, .. overrides]);
    }

    private static (TrainingConfiguration Configuration, string Place) Read(string directory)
    {
        if (RunDirectory.Latest(directory) is { } checkpoint)
            return (TrainingCheckpoint.LoadConfiguration(checkpoint), TrainingCheckpoint.ConfigurationPath(checkpoint));
        var own = Path.Combine(directory, RunDirectory.ConfigurationFile);
        if (File.Exists(own))
            return (ConfigurationBinder.Load<TrainingConfiguration>(own, []), own);
        throw new InvalidInputException(
            File.Exists(Path.Combine(directory, ModelCheckpoint.WeightsFile))
                ? $"{directory}: is a checkpoint; give the directory of its run to go on with that, or a configuration "
                    + $"and --from {directory} "
                    + "to start a new run from its weights."
                : $"{directory}: is a directory without a run ({RunDirectory.ConfigurationFile} or checkpoints); give "
                    + "a YAML configuration or "
                    + "the directory of a run.");
    }
}
