using System.CommandLine;
using AnTransformer.Studies.Ablation;
using AnTransformer.Studies.BatchSizes;
using AnTransformer.Studies.Comparison;
using AnTransformer.Studies.Configuration;
using AnTransformer.Studies.Ladders;
using AnTransformer.Studies.Sweeps;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Cli.Configurations;

/// <summary>The kinds of configuration files that there are, and which of them a file is.</summary>
internal static class ConfigurationKinds
{
    public static TrainingKind Train { get; } = new();

    public static StudyKind<CompareConfiguration> Compare { get; } = new(
        "compare", "angpt compare", (settings, common, data) => new CompareStudy(settings, common, data));

    public static StudyKind<SweepConfiguration> Sweep { get; } = new(
        "sweep", "angpt sweep", (settings, common, data) => new SweepStudy(settings, common, data));

    public static StudyKind<BatchSizeConfiguration> BatchSize { get; } = new(
        "batch-size", "angpt batch-size", (settings, common, data) => new BatchSizeStudy(settings, common, data));

    public static StudyKind<AblateConfiguration> Ablate { get; } = new(
        "ablate", "angpt ablate", (settings, common, data) => new AblateStudy(settings, common, data));

    public static StudyKind<ScalingConfiguration> Scaling { get; } = new(
        "scaling", "angpt scaling run", (settings, common, data) => new ScalingStudy(settings, common, data));

    public static IReadOnlyList<ConfigurationKind> All { get; } = [Train, Compare, Sweep, BatchSize, Ablate, Scaling];

    /// <summary>The option that says what kind of file is meant.</summary>
    public static Option<ConfigurationKind?> Option(string description)
    {
        var names = string.Join(", ", All.Select(kind => kind.Name));
        return new Option<ConfigurationKind?>("--kind")
        {
            Description = description,
            HelpName = string.Join('|', All.Select(kind => kind.Name)),
            CustomParser = result =>
            {
                var text = result.Tokens[0].Value;
                var found = All.FirstOrDefault(kind => kind.Name == text);
                if (found is null)
                    result.AddError($"--kind must be one of {names}, not '{Printable.Excerpt(text)}'");
                return found;
            },
        };
    }

    /// <summary>
    /// The kinds that a file may be, by the keys at its top: those that know most of them, the one of the file's own
    /// name first. Studies have fields in common, so that there may be several.
    /// </summary>
    /// <param name="path">A YAML file.</param>
    /// <exception cref="InvalidInputException">It cannot be read or is malformed.</exception>
    public static IReadOnlyList<ConfigurationKind> Of(string path)
    {
        var keys = ConfigurationBinder.ReadPatch(path).Keys;
        var known = All.Select(kind => (Kind: kind, Count: keys.Count(KeysOf(kind).Contains))).ToList();
        var most = known.Max(entry => entry.Count);
        var name = Path.GetFileNameWithoutExtension(path);
        var kinds = known.Where(entry => entry.Count == most).Select(entry => entry.Kind).ToList();
        return [.. kinds.OrderBy(kind => kind.Name == name ? 0 : 1)];
    }

    private static HashSet<string> KeysOf(ConfigurationKind kind)
        => ConfigurationBinder.Fields(kind.Type).Select(field => field.Key.Split('.')[0])
            .ToHashSet(StringComparer.Ordinal);
}
