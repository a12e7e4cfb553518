using AnTransformer.Checkpoints;
using AnTransformer.Export.Import;
using AnTransformer.Fuzz.Mutations;

namespace AnTransformer.Fuzz.Formats;

/// <summary><c>model.safetensors.index.json</c>, beside two files of weights that it lists.</summary>
internal sealed class ForeignIndexFormat : IFormat
{
    private const string Valid =
        """
        {"metadata":{"total_size":48},"weight_map":{"model.embed_tokens.weight":"model-00001-of-00002.safetensors",
        "model.norm.weight":"model-00001-of-00002.safetensors","lm_head.weight":"model-00002-of-00002.safetensors"}}
        """;

    public string Name => "foreign-index";

    public Sample Make(Random random)
    {
        var bytes = JsonMutator.Change(Seeds.Json(Valid), random, random.FewChanges());
        return new Sample(
            ForeignWeights.IndexFile, random.Next(4) == 0 ? ByteMutator.Change(bytes, random, random.FewChanges()) : bytes);
    }

    public void Read(string path)
    {
        var directory = Path.GetDirectoryName(path)!;
        Write(Path.Combine(directory, "model-00001-of-00002.safetensors"), "model.embed_tokens.weight", "model.norm.weight");
        Write(Path.Combine(directory, "model-00002-of-00002.safetensors"), "lm_head.weight");
        using var weights = ForeignWeights.Open(directory);
        foreach (var name in weights.Names)
            SingleElements.Read(weights.FileOf(name)!, name, _ => { });
    }

    private static void Write(string path, params string[] names)
    {
        if (File.Exists(path))
            return;
        using var stream = File.Create(path);
        var writer = new SafetensorsWriter(
            stream, names.Select(name => (name, SafetensorsDtype.F32, (IReadOnlyList<long>)[4])));
        foreach (var name in names)
            writer.Write<float>(name, [1, 2, 3, 4]);
        writer.Complete();
    }
}
