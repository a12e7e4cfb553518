using AnTransformer.Architectures;
using AnTransformer.Checkpoints;
using AnTransformer.Optimization;
using AnTransformer.Training.Configuration;
using AnTransformer.Training.Tokenization;
using static TorchSharp.torch;

namespace AnTransformer.Training.Runs;

/// <summary>
/// A checkpoint that training can resume from: the model's own files, the tokenizer's, and beside them the optimizer's
/// moments with the random generator's state, the trainer's state and the configuration.
/// </summary>
public static class TrainingCheckpoint
{
    private const string OptimizerFile = "optimizer.safetensors";
    private const string StateFile = "trainer_state.json";
    private const string ConfigurationFile = "training_config.yaml";
    private const string GeneratorState = "rng_state";

    /// <summary>Writes a checkpoint; at any moment either it or nothing is there.</summary>
    /// <param name="path">The checkpoint's directory.</param>
    /// <param name="model">Weights.</param>
    /// <param name="moments">The optimizer's: <see cref="Optimizer.GatherState"/>.</param>
    /// <param name="state">Trainer state.</param>
    /// <param name="configuration">The run's configuration.</param>
    /// <param name="tokenizer">The tokenizer, or null when only ids are known.</param>
    /// <exception cref="InvalidInputException">
    /// The disk is full or not writable, or what has the name is no checkpoint; earlier checkpoints are intact.
    /// </exception>
    public static void Save(
        string path,
        LanguageModel model,
        IReadOnlyList<KeyValuePair<string, Tensor>> moments,
        TrainerState state,
        TrainingConfiguration configuration,
        Tokenizer? tokenizer)
        => AtomicDirectory.Write(path, directory =>
        {
            ModelCheckpoint.Save(model, directory);
            tokenizer?.Save(directory);
            using (var generator = get_rng_state())
            {
                List<KeyValuePair<string, Tensor>> tensors = [.. moments, new(GeneratorState, generator)];
                SafetensorsTensors.Write(Path.Combine(directory, OptimizerFile), tensors);
            }

            state.Save(Path.Combine(directory, StateFile));
            File.WriteAllText(Path.Combine(directory, ConfigurationFile), ConfigurationBinder.Write(configuration));
        }, Objection);

    /// <summary>Loads weights, moments and generator state, and returns the trainer's state.</summary>
    /// <param name="path">The checkpoint's directory.</param>
    /// <param name="model">Receives the weights; must have the checkpoint's shape.</param>
    /// <param name="moments">Receive the optimizer's: <see cref="Optimizer.WholeState"/>.</param>
    /// <exception cref="InvalidInputException">A file is missing, malformed or of another model.</exception>
    public static TrainerState Load(
        string path, LanguageModel model, IReadOnlyList<KeyValuePair<string, Tensor>> moments)
    {
        var weights = Path.Combine(path, ModelCheckpoint.WeightsFile);
        using (var file = SafetensorsFile.Open(weights))
        {
            ModelCheckpoint.CopyInto(
                file, weights, ModelCheckpoint.Weights(model), "the configured model");
        }

        var optimizer = Path.Combine(path, OptimizerFile);
        using (var file = SafetensorsFile.Open(optimizer))
        using (var generator = get_rng_state())
        {
            List<KeyValuePair<string, Tensor>> tensors = [.. moments, new(GeneratorState, generator)];
            ModelCheckpoint.CopyInto(file, optimizer, tensors, "the optimizer of the configured model");
            set_rng_state(generator);
        }

        return LoadState(path);
    }

    /// <summary>
    /// The configuration a checkpoint was trained with. What a version that did not write down defaults left null in
    /// the <c>model</c> section is taken from the checkpoint's <c>config.json</c>; its other nulls remain, since
    /// nothing tells what they stood for (<see cref="ResolvedConfiguration.Unresolved"/>).
    /// </summary>
    /// <param name="path">The checkpoint's directory.</param>
    /// <exception cref="InvalidInputException">A file is missing or malformed.</exception>
    public static TrainingConfiguration LoadConfiguration(string path)
    {
        var configuration = ConfigurationBinder.Load<TrainingConfiguration>(ConfigurationPath(path), []);
        if (ResolvedConfiguration.Unresolved(configuration).Count > 0)
            ResolvedConfiguration.Fill(
                configuration.Model, ModelConfigJson.Load(Path.Combine(path, ModelCheckpoint.ConfigFile)));
        return configuration;
    }

    /// <summary>Whether a directory is a checkpoint that training wrote, and not weights alone.</summary>
    /// <param name="path">The directory.</param>
    public static bool CanResume(string path)
        => File.Exists(ConfigurationPath(path)) && File.Exists(Path.Combine(path, StateFile));

    /// <summary>Where a checkpoint's configuration lies.</summary>
    /// <param name="path">The checkpoint's directory.</param>
    internal static string ConfigurationPath(string path) => Path.Combine(path, ConfigurationFile);

    /// <summary>Whether a checkpoint holds the momentum of outer steps (<see cref="OuterOptimizer"/>).</summary>
    /// <param name="path">The checkpoint's directory.</param>
    /// <exception cref="InvalidInputException">A file is missing or malformed.</exception>
    internal static bool HasOuterState(string path)
    {
        using var file = SafetensorsFile.Open(Path.Combine(path, OptimizerFile));
        return file.Names.Any(name => name.StartsWith(OuterOptimizer.StatePrefix, StringComparison.Ordinal));
    }

    /// <summary>The trainer's state of a checkpoint.</summary>
    /// <param name="path">The checkpoint's directory.</param>
    /// <exception cref="InvalidInputException">The file is missing or malformed.</exception>
    public static TrainerState LoadState(string path) => TrainerState.Load(Path.Combine(path, StateFile));

    /// <summary>
    /// Why a directory must not be replaced by a checkpoint of the same step, or null when it is one.
    /// </summary>
    private static string? Objection(string directory)
        => new[] { ModelCheckpoint.WeightsFile, StateFile, ConfigurationFile }
            .FirstOrDefault(name => !File.Exists(Path.Combine(directory, name)))
            is { } missing
                ? $"is no checkpoint (it has no {missing}) and is not replaced; move it elsewhere and resume"
                : null;
}
