using AnTransformer.Checkpoints;
using AnTransformer.Export.HuggingFace;
using AnTransformer.Graphs;

namespace AnTransformer.Export.Onnx;

/// <summary>
/// ONNX, for every architecture: ONNX Runtime, and with the files beside the graph ONNX Runtime GenAI and
/// transformers.js.
/// </summary>
internal sealed class OnnxExporter : IExporter
{
    public string Format => "onnx";

    public string Summary => "ONNX Runtime, ONNX Runtime GenAI, transformers.js";

    public IReadOnlyList<ExportDtype> Dtypes => [ExportDtype.F32, ExportDtype.F16];

    public ExportReport Write(ExportSource source, ExportOptions options, string directory)
    {
        var folder = Directory.CreateDirectory(Path.Combine(directory, "onnx")).FullName;
        var graph = OnnxDecoder.Build(Simplified(source.Graph, options.Dtype), source.Rows, options.Dtype);
        var isExternal = OnnxFile.Write(Path.Combine(folder, "model.onnx"), graph);
        HuggingFaceTokenizer.Write(directory, source.Tokenizer, source.Config.MaxPositionEmbeddings);
        Write(directory, ModelCheckpoint.ConfigFile, OnnxSettings.Config(source, isExternal));
        if (source.Config.IsCausal)
            Write(directory, "genai_config.json", OnnxSettings.GenAi(source));
        return new ExportReport($"an ONNX graph of operator set {OnnxFile.OperatorSet}")
        {
            Notes = [.. Notes(source, options)],
            Usage = OnnxUsage.Of(source),
        };
    }

    /// <summary>
    /// The graph with interpolations folded into matrices, where that costs nothing: a tied matrix would be there
    /// twice, half precision would lose digits, and an update that keeps nothing of a channel cannot be folded.
    /// </summary>
    private static DecoderGraph Simplified(DecoderGraph graph, ExportDtype dtype)
    {
        if (graph.Config.TieWordEmbeddings || dtype != ExportDtype.F32)
            return graph;
        try
        {
            return GraphFolding.Fold(graph, dtype.WidestFolding());
        }
        catch (InvalidInputException)
        {
            return graph;
        }
    }

    private static void Write(string directory, string name, string text)
        => File.WriteAllText(Path.Combine(directory, name), text);

    private static IEnumerable<string> Notes(ExportSource source, ExportOptions options)
    {
        if (options.Dtype == ExportDtype.F16)
        {
            yield return "Matrices are stored in half precision and widened when they are loaded; "
                + "all else is computed in single precision.";
        }

        if (!source.Config.IsCausal)
        {
            yield return "Attention sees all tokens, so there are no keys and values to keep: "
                + "ONNX Runtime alone runs this graph.";
        }

        if (source.Tokenizer is null)
            yield return "The checkpoint has no tokenizer, so programs have to give token ids.";
    }
}
