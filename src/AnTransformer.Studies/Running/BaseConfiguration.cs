using AnTransformer.Studies.Configuration;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Studies.Running;

/// <summary>The training configuration that all runs of a study start from.</summary>
/// <param name="study">The study's configuration.</param>
/// <param name="placeOf">The place of a field of the study's configuration, for errors.</param>
/// <param name="set">
/// Fields given on the command line, with the place that errors name; they win over the files.
/// </param>
/// <param name="find">Where a base configuration of a name lies; null to take names as paths.</param>
/// <exception cref="InvalidInputException">
/// The base configuration's file cannot be read, or the command line sets what every study sets.
/// </exception>
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

    private readonly IReadOnlyList<(string Key, string Value, string Place)> _set = WithoutOwned(set);

    private readonly IReadOnlyList<ConfigurationPatch> _layers =
    [
        .. study.BaseConfig is { } path ? new[] { ConfigurationBinder.ReadPatch(find?.Invoke(path) ?? path) } : [],
        ConfigurationBinder.ParsePatch(Defaults, "the study's defaults"),
        study.Base,
    ];

    /// <summary>The place of a field of the study's configuration, for errors.</summary>
    /// <param name="key">The field's key.</param>
    public string Place(string key) => placeOf(key);

    /// <summary>
    /// Refuses a field on the command line that the study itself gives its runs, which would have no effect.
    /// </summary>
    /// <param name="key">The field's key.</param>
    /// <param name="option">The study's own option for it.</param>
    /// <exception cref="InvalidInputException">It is given.</exception>
    public void RefuseSet(string key, string option)
    {
        foreach (var (given, _, where) in _set)
            Refuse(given, where, key, $"use {option}");
    }

    /// <summary>
    /// Refuses a field of a side, a size or a variant that the study itself gives its runs, which would have no effect.
    /// </summary>
    /// <param name="given">The field that is given.</param>
    /// <param name="where">Its place.</param>
    /// <param name="key">The key of the field that the study sets.</param>
    /// <param name="remedy">What to do instead.</param>
    /// <exception cref="InvalidInputException">It is that field.</exception>
    internal static void Refuse(string given, string where, string key, string remedy)
    {
        if (ConfigurationBinder.Field<TrainingConfiguration>(given, where).Key == key)
            throw new InvalidInputException($"{where}: the study itself sets {key}; {remedy}.");
    }

    /// <summary>
    /// Refuses a field that decides where a run works rather than what it learns, and so is no difference between runs.
    /// </summary>
    /// <param name="given">The field that is given.</param>
    /// <param name="where">Its place.</param>
    /// <exception cref="InvalidInputException">It is such a field.</exception>
    internal static void RefusePlaceOfWork(string given, string where)
    {
        RefuseOwned(given, where);
        Refuse(given, where, "training.device", "use --devices");
        Refuse(given, where, "training.threads", "use --set training.threads=N, for all runs");
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
                // A run goes on from its own checkpoint or from none.
                ("checkpoint.resume", "auto", Place("base")),
                .. _set,
                .. overrides,
            ]);

    private static void RefuseOwned(string given, string where)
    {
        Refuse(given, where, "training.output", "use --output");
        Refuse(given, where, "checkpoint.resume", "leave it out, since every run goes on from its own checkpoint");
    }

    private static IReadOnlyList<(string Key, string Value, string Place)> WithoutOwned(
        IReadOnlyList<(string Key, string Value, string Place)> set)
    {
        foreach (var (given, _, where) in set)
            RefuseOwned(given, where);
        return set;
    }
}
