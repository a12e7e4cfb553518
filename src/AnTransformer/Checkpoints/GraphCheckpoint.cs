using AnTransformer.Architectures;
using AnTransformer.Configuration;
using AnTransformer.Graphs;

namespace AnTransformer.Checkpoints;

/// <summary>
/// A checkpoint opened for whatever only reads it: its graph, and its matrices in the mapped file. Needs no LibTorch.
/// </summary>
public sealed class GraphCheckpoint : IDisposable
{
    private GraphCheckpoint(DecoderGraph graph, SafetensorsFile weights) => (Graph, Weights) = (graph, weights);

    /// <summary>What the model computes.</summary>
    public DecoderGraph Graph { get; }

    /// <summary>The file that holds the matrices which the graph names.</summary>
    public SafetensorsFile Weights { get; }

    /// <summary>Opens a checkpoint and checks that every tensor is there, in its shape, and finite.</summary>
    /// <param name="directory">The checkpoint.</param>
    /// <exception cref="InvalidInputException">
    /// A file is missing or malformed, a tensor is missing, superfluous or of another shape, or weights are not finite.
    /// </exception>
    public static GraphCheckpoint Open(string directory)
    {
        if (!Directory.Exists(directory))
        {
            throw new InvalidInputException(
                $"{directory}: no such checkpoint directory; give one that holds {ModelCheckpoint.ConfigFile} and "
                + $"{ModelCheckpoint.WeightsFile}.");
        }

        var config = ModelConfigJson.Load(Path.Combine(directory, ModelCheckpoint.ConfigFile));
        var path = Path.Combine(directory, ModelCheckpoint.WeightsFile);
        if (!File.Exists(path) && ForeignCheckpoint.DescribeDirectory(directory) is { } foreign)
            throw new InvalidInputException(foreign);
        var file = SafetensorsFile.Open(path);
        try
        {
            return new GraphCheckpoint(Read(config, file), file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Weights.Dispose();

    private static DecoderGraph Read(ModelConfig config, SafetensorsFile file)
    {
        var unread = file.Names.ToHashSet(StringComparer.Ordinal);
        var parameters = new GraphParameters(config, (name, length) =>
        {
            Check(file, name, length);
            unread.Remove(name);
            var values = new double[length];
            file.CopyTo(name, values);
            return values;
        });
        var graph = ArchitectureRegistry.Get(config.Architecture).Describe(config, parameters);
        foreach (var matrix in graph.Matrices())
        {
            Check(file, matrix.Tensor, matrix.Rows, matrix.Columns);
            unread.Remove(matrix.Tensor);
        }

        if (unread.Count > 0)
        {
            throw new InvalidInputException(
                $"{file.Path}: tensor '{Printable.Excerpt(unread.Order(StringComparer.Ordinal).First())}' is not part "
                    + "of the model of its "
                + "config.json; the file and the configuration do not belong together.");
        }

        return graph;
    }

    private static void Check(SafetensorsFile file, string name, params ReadOnlySpan<long> shape)
    {
        if (!file.Contains(name))
        {
            throw new InvalidInputException(
                $"{file.Path}: tensor '{name}' is missing, but the model of its config.json has it; restore the file.");
        }

        if (!file[name].Shape.ToArray().AsSpan().SequenceEqual(shape))
        {
            throw new InvalidInputException(
                $"{file.Path}: tensor '{name}' has shape [{string.Join(", ", file[name].Shape)}], but the model of its "
                    + "config.json needs "
                + $"[{string.Join(", ", shape.ToArray())}]; the file and the configuration do not belong together.");
        }

        if (file.ContainsNonFinite(name))
            throw new InvalidInputException(
                $"{file.Path}: tensor '{name}' holds NaN or infinite values; use an earlier checkpoint.");
    }
}
