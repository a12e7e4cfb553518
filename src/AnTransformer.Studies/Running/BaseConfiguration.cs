using AnTransformer.Studies.Configuration;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Studies.Running;

/// <summary>The training configuration that all runs of a study start from.</summary>
/// <param name="study">The study's configuration.</param>
/// <param name="placeOf">The place of a field of the study's configuration, for errors.</param>
/// <param name="set">Fields given on the command line, with the place that errors name; they win over the files.</param>
/// <param name="find">Where a base configuration of a name lies; null to take names as paths.</param>
/// <exception cref="InvalidInputException">The base configuration's file cannot be read.</exception>
public sealed class BaseConfiguration(
    StudyConfiguration study,
    Func<string, string> placeOf,
    IReadOnlyList<(string Key, string Value, string Place)> set,
    Func<string, string>? find = null)
{
    // A study looks at losses: what a single run shows its user would only fill the disk, hundreds of times.
    private const string Defaults = """
        logging: {tensorboard: false, plot: false}
        checkpoint: {keep_last: 1}
        evaluation: {sample_prompt: null}
        """;

    private readonly IReadOnlyList<ConfigurationPatch> _layers =
    [
        .. study.BaseConfig is { } path ? new[] { ConfigurationBinder.ReadPatch(find?.Invoke(path) ?? path) } : [],
        ConfigurationBinder.ParsePatch(Defaults, "the study's defaults"),
        study.Base,
    ];

    /// <summary>The place of a field of the study's configuration, for errors.</summary>
    /// <param name="key">The field's key.</param>
    public string Place(string key) => placeOf(key);

    /// <summary>Refuses a field on the command line that the study itself gives its runs, which would have no effect.</summary>
    /// <param name="key">The field's key.</param>
    /// <param name="option">The study's own option for it.</param>
    /// <exception cref="InvalidInputException">It is given.</exception>
    public void RefuseSet(string key, string option)
    {
        foreach (var (given, _, where) in set)
        {
            if (ConfigurationBinder.Field<TrainingConfiguration>(given, where).Key == key)
                throw new InvalidInputException($"{where}: the study itself sets {key}; use {option}.");
        }
    }

    /// <summary>A run's configuration.</summary>
    /// <param name="overrides">Fields that it has besides, with the place that errors name; the last wins.</param>
    /// <exception cref="InvalidInputException">A field is unknown or its value cannot be used.</exception>
    public TrainingConfiguration Compose(IEnumerable<(string Key, string Value, string Place)> overrides)
        => ConfigurationBinder.Compose<TrainingConfiguration>(
            Place("base"),
            _layers,
            [
                // Runs that a clock cut short would not be comparable.
                ("training.max_minutes", "null", Place("base")),
                .. set,
                .. overrides,
            ]);
}
