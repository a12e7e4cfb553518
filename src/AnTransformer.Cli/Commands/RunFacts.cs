using System.Text.Json.Nodes;
using AnTransformer.Architectures;
using AnTransformer.Checkpoints;
using AnTransformer.Configuration;
using AnTransformer.Training.Configuration;
using AnTransformer.Training.Devices;
using AnTransformer.Training.Runs;

namespace AnTransformer.Cli.Commands;

/// <summary>
/// What a run really used, as <c>angpt info</c> tells it: the resolved settings of a checkpoint, and what computed it.
/// </summary>
internal static class RunFacts
{
    // What is written down on the way, and how often, changes nothing that is learned.
    private static readonly HashSet<string> Reporting =
        new(StringComparer.Ordinal) { "evaluation", "checkpoint", "logging", "inspection" };

    /// <summary>The facts of a checkpoint that training wrote; none for one that is a model alone.</summary>
    /// <param name="checkpoint">Its directory.</param>
    /// <exception cref="InvalidInputException">A file of it cannot be read.</exception>
    public static List<(string Name, object? Value)> Of(string checkpoint)
    {
        if (!TrainingCheckpoint.CanResume(checkpoint))
            return [];
        var (saved, state) =
            (TrainingCheckpoint.LoadConfiguration(checkpoint), TrainingCheckpoint.LoadState(checkpoint));
        var model = ModelConfigJson.Load(Path.Combine(checkpoint, ModelCheckpoint.ConfigFile));
        return
        [
            ("step", state.Step),
            ("tokens trained", state.Tokens),
            ("seconds trained", Math.Round(state.ElapsedSeconds, 1)),
            ("settings", Settings(saved, model)),
            ("sessions", state.Sessions),
        ];
    }

    /// <summary>A line for each setting, and for each session.</summary>
    /// <param name="value">The value of a fact.</param>
    public static IEnumerable<(string Name, string Value)>? Lines(object? value) => value switch
    {
        Dictionary<string, object?> settings => settings.Select(
            setting => (setting.Key, ConfigurationBinder.Text(setting.Value).Trim('"'))),
        IReadOnlyList<TrainingSession> sessions => sessions.Select(
            session => ($"from step {session.FromStep}", Describe(session.Environment))),
        _ => null,
    };

    private static string Describe(ComputeEnvironment environment)
        => $"{environment.Device}, {environment.Kernels} kernels, {environment.ComputeDtype}, {environment.Threads} "
            + "threads, "
            + $"{environment.InstructionSet} ({environment.VectorBits} bits), {environment.MatrixProducts} matrix "
            + "products, "
            + $"LibTorch {environment.LibTorch} ({environment.LibTorchInstructionSet}), version {environment.Version}";

    /// <summary>
    /// All settings that a run's outcome depends on, by key. A default that an older version did not write down is told
    /// as such rather than by today's value.
    /// </summary>
    /// <param name="configuration">A run's configuration.</param>
    /// <param name="model">Its model.</param>
    public static Dictionary<string, object?> Settings(TrainingConfiguration configuration, ModelConfig model)
    {
        var unknown = ResolvedConfiguration.Unresolved(configuration);
        var inapplicable = Inapplicable(model);
        return ConfigurationBinder.Fields(typeof(TrainingConfiguration))
            .Where(field => !Reporting.Contains(field.SectionName) && !inapplicable.Contains(field.Key))
            .ToDictionary(
                field => field.Key,
                field => unknown.Contains(field.Key)
                    ? "not recorded by the version that trained it"
                    : field.Get(configuration),
                StringComparer.Ordinal);
    }

    /// <summary>Fields of the model section that the architecture has no use for.</summary>
    private static HashSet<string> Inapplicable(ModelConfig model)
    {
        // config.json has a key for everything that decides what the model computes, and for nothing else.
        var used = JsonNode.Parse(ModelConfigJson.Write(model))!.AsObject().Select(item => "model." + item.Key)
            .Append("model.architecture")
            .ToHashSet(StringComparer.Ordinal);
        return ConfigurationBinder.Fields(typeof(TrainingConfiguration))
            .Where(field => field.SectionName == "model" && !used.Contains(field.Key)).Select(field => field.Key)
            .ToHashSet(StringComparer.Ordinal);
    }
}
