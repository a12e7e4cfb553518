using System.Text;
using AnTransformer.Architectures;
using AnTransformer.Fuzz.Mutations;

namespace AnTransformer.Fuzz.Formats;

/// <summary>A model's <c>config.json</c>.</summary>
internal sealed class ModelConfigFormat : IFormat
{
    private static readonly string[] Valid =
        [.. ArchitectureRegistry.Names.Select(architecture => ModelConfigJson.Write(ArchitectureRegistry.CreateConfig(architecture, 257, 64, 2, 2, 32)))];

    public string Name => "config";

    public Sample Make(Random random)
    {
        var text = random.Pick(Valid);
        var bytes = random.Next(4) == 0
            ? Encoding.UTF8.GetBytes(TextMutator.Change(text, random, random.FewChanges()))
            : JsonMutator.Change(Seeds.Json(text), random, random.FewChanges());
        return new Sample("config.json", random.Next(4) == 0 ? ByteMutator.Change(bytes, random, random.FewChanges()) : bytes);
    }

    public void Read(string path)
    {
        var config = ModelConfigJson.Load(path);
        _ = ModelConfigJson.Write(config);
        _ = ModelCost.Parameters(config);
    }
}
