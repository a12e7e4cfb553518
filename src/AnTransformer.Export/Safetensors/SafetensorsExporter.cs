using AnTransformer.Architectures;
using AnTransformer.Checkpoints;
using AnTransformer.Graphs;

namespace AnTransformer.Export.Safetensors;

/// <summary>Checkpoints of this program: the weights alone, in any floating-point type.</summary>
internal sealed class SafetensorsExporter : IExporter
{
    public string Format => "safetensors";

    public string Summary => "a checkpoint of this program";

    public IReadOnlyList<ExportDtype> Dtypes => [ExportDtype.F32, ExportDtype.F64, ExportDtype.F16, ExportDtype.BF16];

    public bool HasOptionalFolding => true;

    public ExportReport Write(ExportSource source, ExportOptions options, string directory)
    {
        File.WriteAllText(Path.Combine(directory, ModelCheckpoint.ConfigFile), ModelConfigJson.Write(source.Config));
        TensorFile.Write(
            Path.Combine(directory, ModelCheckpoint.WeightsFile), source.Weights, [.. source.Weights.Names.Select(Copy)], options.Dtype);
        source.Tokenizer?.Save(directory);
        return new ExportReport(source.Config.Architecture);

        TensorSource Copy(string name)
        {
            var shape = source.Weights[name].Shape;
            if (shape.Count == 2)
                return new TensorSource(name, new ScaledMatrix(name, (int)shape[0], (int)shape[1]));
            var values = new double[source.Weights[name].ElementCount];
            source.Weights.CopyTo(name, values);
            return new TensorSource(name, null, values);
        }
    }
}
