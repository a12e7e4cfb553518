namespace AnTransformer.Models;

/// <summary>The four architectures that are compared; they differ in normalization only.</summary>
public enum Architecture
{
    /// <summary>The Llama block: pre-RMSNorm with gain, plain residual sums.</summary>
    Gpt,

    /// <summary>GPT with RMSNorm with gain on every head's query and key (the Qwen3 block).</summary>
    GptPlus,

    /// <summary>nGPT (arXiv 2410.01131): everything on the unit hypersphere, measured norms.</summary>
    NGpt,

    /// <summary>anGPT (arXiv 2505.22014): constants instead of measured norms, rows inside the unit ball.</summary>
    AnGpt,
}

/// <summary>Names of architectures as files and command lines spell them.</summary>
public static class ArchitectureNames
{
    private static readonly Dictionary<string, Architecture> ByName = new(StringComparer.Ordinal)
    {
        ["gpt"] = Architecture.Gpt,
        ["gpt+"] = Architecture.GptPlus,
        ["ngpt"] = Architecture.NGpt,
        ["angpt"] = Architecture.AnGpt,
    };

    /// <summary>All names, in the order of <see cref="Architecture"/>.</summary>
    public static IReadOnlyCollection<string> All => ByName.Keys;

    /// <summary>The name in <c>config.json</c>'s <c>model_type</c>: <c>gpt</c>, <c>gpt+</c>, <c>ngpt</c> or <c>angpt</c>.</summary>
    /// <param name="architecture">An architecture.</param>
    public static string ToName(this Architecture architecture) => ByName.First(pair => pair.Value == architecture).Key;

    /// <summary>Whether weight vectors are kept in the unit ball, so that neither decay nor warm-up is needed: nGPT and anGPT.</summary>
    /// <param name="architecture">An architecture.</param>
    public static bool IsNormalized(this Architecture architecture) => architecture is Architecture.NGpt or Architecture.AnGpt;

    /// <summary>Reads a name.</summary>
    /// <param name="name">A name, in any case.</param>
    /// <param name="architecture">What it names.</param>
    public static bool TryParse(string name, out Architecture architecture)
        => ByName.TryGetValue(name.ToLowerInvariant(), out architecture);
}
