using AnTransformer.Architectures;
using AnTransformer.Configuration;
using AnTransformer.Operators;
using static TorchSharp.torch;

namespace AnTransformer.Checkpoints;

/// <summary>
/// A model on disk: <c>config.json</c> and <c>model.safetensors</c> in one directory, named as Hugging Face names them.
/// </summary>
public static class ModelCheckpoint
{
    /// <summary>File name of the configuration.</summary>
    public const string ConfigFile = "config.json";

    /// <summary>File name of the weights.</summary>
    public const string WeightsFile = "model.safetensors";

    /// <summary>Builds a model from a checkpoint.</summary>
    /// <param name="directory">The checkpoint.</param>
    /// <param name="context">Device and dtypes; weights of other dtypes are converted.</param>
    /// <exception cref="InvalidInputException">
    /// A file is missing or malformed, a tensor is missing, superfluous or of another shape, or weights are not finite.
    /// </exception>
    public static LanguageModel Load(string directory, ModelContext context)
    {
        if (!Directory.Exists(directory))
            throw new InvalidInputException(
                $"{directory}: no such checkpoint directory; give one that holds {ConfigFile} and {WeightsFile}.");
        var config = ModelConfigJson.Load(Path.Combine(directory, ConfigFile));
        var path = Path.Combine(directory, WeightsFile);
        if (!File.Exists(path) && ForeignCheckpoint.DescribeDirectory(directory) is { } foreign)
            throw new InvalidInputException(foreign);
        using var file = SafetensorsFile.Open(path);
        // Shapes are compared before memory is taken, so that a wrong size in config.json cannot ask for terabytes.
        CheckSize(config, file, path);
        var model = LanguageModel.Create(config, context);
        try
        {
            CopyInto(file, path, Weights(model), "the model of its config.json");
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Writes configuration and weights into an existing directory.</summary>
    /// <param name="model">The model.</param>
    /// <param name="directory">The directory.</param>
    public static void Save(LanguageModel model, string directory)
    {
        File.WriteAllText(Path.Combine(directory, ConfigFile), ModelConfigJson.Write(model.Config));
        SafetensorsTensors.Write(
            Path.Combine(directory, WeightsFile), Weights(model));
    }

    /// <summary>A model's parameters by name, in the order files hold them.</summary>
    /// <param name="model">The model.</param>
    public static IReadOnlyList<KeyValuePair<string, Tensor>> Weights(LanguageModel model)
        => model.NamedParameters().Select(item => KeyValuePair.Create(item.Name, (Tensor)item.Parameter)).ToList();

    /// <summary>
    /// Copies every tensor of a file into the tensor of its name; names, shapes and finiteness are checked first.
    /// </summary>
    /// <param name="file">The open file.</param>
    /// <param name="path">Its path, for errors.</param>
    /// <param name="targets">Names and tensors: exactly the file's names.</param>
    /// <param name="owner">What the targets belong to, for errors.</param>
    /// <exception cref="InvalidInputException">
    /// A tensor is missing, superfluous, of another shape, or not finite.
    /// </exception>
    public static void CopyInto(
        SafetensorsFile file, string path, IReadOnlyList<KeyValuePair<string, Tensor>> targets, string owner)
    {
        var names = file.Names.ToHashSet(StringComparer.Ordinal);
        foreach (var (name, tensor) in targets)
        {
            if (!names.Remove(name))
                throw new InvalidInputException(
                    $"{path}: tensor '{name}' is missing, but {owner} has it; restore the file.");
            if (!file[name].Shape.SequenceEqual(tensor.shape))
            {
                throw new InvalidInputException(
                    $"{path}: tensor '{name}' has shape [{string.Join(", ", file[name].Shape)}], but {owner} needs "
                    + $"[{string.Join(", ", tensor.shape)}]; the file and the configuration do not belong together.");
            }
        }

        if (names.Count > 0)
        {
            throw new InvalidInputException(
                $"{path}: tensor '{Printable.Excerpt(names.Order(StringComparer.Ordinal).First())}' is not part of "
                    + $"{owner}; the file and the configuration do not belong together.");
        }

        using var noGrad = no_grad();
        foreach (var (name, tensor) in targets)
        {
            using var scope = NewDisposeScope();
            if (file.ContainsNonFinite(name))
                throw new InvalidInputException(
                    $"{path}: tensor '{name}' holds NaN or infinite values; use an earlier checkpoint.");
            tensor.copy_(file.ToTensor(name));
        }
    }

    private static void CheckSize(ModelConfig config, SafetensorsFile file, string path)
    {
        long inFile;
        double inConfig;
        checked
        {
            inFile = file.Names.Sum(name => file[name].Shape.Aggregate(1L, (product, size) => product * size));
            double attention = config.Attention.ProjectedWidth + config.Attention.QueryWidth;
            inConfig = ((double)config.VocabSize * config.HiddenSize * (config.TieWordEmbeddings ? 1 : 2))
                + (config.NumHiddenLayers * config.HiddenSize * (attention + (3.0 * config.IntermediateSize)));
        }

        if (inConfig > 1.5 * inFile)
        {
            throw new InvalidInputException(
                $"{path}: holds {inFile} numbers, but the model of its config.json has more than {inConfig:f0}; "
                    + "tensors are missing or "
                + "the file and the configuration do not belong together.");
        }
    }
}
