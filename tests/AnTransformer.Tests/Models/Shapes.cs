using AnTransformer.Configuration;

namespace AnTransformer.Tests.Models;

/// <summary>What a model of two heads may have besides them: other shapes of attention, tied embeddings.</summary>
internal static class Shapes
{
    public static IReadOnlyDictionary<string, Func<ModelConfig, ModelConfig>> All { get; } =
        new Dictionary<string, Func<ModelConfig, ModelConfig>>(StringComparer.Ordinal)
        {
            ["grouped"] = config => config with { NumAttentionHeads = 6, NumKeyValueHeads = 2, HeadDim = 6 },
            ["multi-query"] = config => config with { NumKeyValueHeads = 1 },
            ["narrow"] = config => config with { HeadDim = 2 },
            ["bidirectional"] = config
                => config with { NumAttentionHeads = 4, NumKeyValueHeads = 2, HeadDim = 4, IsCausal = false },
            ["window"] = config => config with { NumKeyValueHeads = 1, SlidingWindow = 3 },
            ["wide window"] = config => config with { SlidingWindow = 40 },
            ["tied"] = config => config with { TieWordEmbeddings = true },
        };
}
