using AnTransformer.Architectures;
using AnTransformer.Checkpoints;
using AnTransformer.Configuration;
using AnTransformer.Graphs;

namespace AnTransformer.Export.Safetensors;

/// <summary>
/// Checkpoints of this program: the weights alone, in any floating-point type; on demand with anGPT's factors and
/// interpolations folded.
/// </summary>
internal sealed class SafetensorsExporter : IExporter
{
    public string Format => "safetensors";

    public string Summary => "a checkpoint of this program";

    public IReadOnlyList<ExportDtype> Dtypes => [ExportDtype.F32, ExportDtype.F64, ExportDtype.F16, ExportDtype.BF16];

    public bool HasOptionalFolding => true;

    public ExportReport Write(ExportSource source, ExportOptions options, string directory)
    {
        var (config, tensors) = options.Fold
            ? Folded(source, options.Dtype)
            : (source.Config, [.. source.Weights.Names.Select(name => Copy(source.Weights, name))]);
        File.WriteAllText(Path.Combine(directory, ModelCheckpoint.ConfigFile), ModelConfigJson.Write(config));
        TensorFile.Write(Path.Combine(directory, ModelCheckpoint.WeightsFile), source.Rows, tensors, options.Dtype);
        source.Tokenizer?.Save(directory);
        return new ExportReport(config.Architecture)
        {
            Usage = "```bash\nangpt generate . --prompt \"It was\"\nangpt score . --text \"It was\"\n```\n",
        };
    }

    private static TensorSource Copy(SafetensorsFile weights, string name)
    {
        var shape = weights[name].Shape;
        if (shape.Count == 2)
            return new TensorSource(name, new ScaledMatrix(name, checked((int)shape[0]), checked((int)shape[1])));
        var values = new double[weights[name].ElementCount];
        weights.CopyTo(name, values);
        return new TensorSource(name, null, values);
    }

    private static (ModelConfig Config, IReadOnlyList<TensorSource> Tensors) Folded(
        ExportSource source, ExportDtype dtype)
    {
        var graph = GraphFolding.Fold(source.Graph, dtype.WidestFolding());
        if (ReferenceEquals(graph, source.Graph))
        {
            throw new InvalidInputException(
                $"{source.Path}: a model of architecture {source.Config.Architecture} has no interpolations to fold; "
                    + "leave out --fold.");
        }

        // A matrix's name in the folded checkpoint is that of its place; a tied head is the only one whose tensor has
        // another.
        var config = ArchitectureRegistry.CreateConfig(
            FoldedAnGptDefinition.ArchitectureName,
            graph.Config.VocabSize,
            graph.Config.HiddenSize,
            graph.Config.NumAttentionHeads,
            graph.Config.NumHiddenLayers,
            graph.Config.MaxPositionEmbeddings,
            graph.Config.IntermediateSize) with
        {
            NumKeyValueHeads = graph.Config.NumKeyValueHeads,
            HeadDim = graph.Config.HeadDim,
            IsCausal = graph.Config.IsCausal,
            SlidingWindow = graph.Config.SlidingWindow,
            RopeTheta = graph.Config.RopeTheta,
            QkNorm = graph.Config.QkNorm,
        };
        return (config, [.. graph.Matrices().SkipLast(1).Select(matrix => new TensorSource(matrix.Tensor, matrix)),
            new TensorSource("lm_head.weight", graph.Head)]);
    }
}
