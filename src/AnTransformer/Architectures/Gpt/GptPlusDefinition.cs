using AnTransformer.Configuration;

namespace AnTransformer.Architectures;

/// <summary>GPT+, the Qwen3 block: GPT with RMSNorm with gain on every head's query and key.</summary>
public sealed class GptPlusDefinition : GptDefinition
{
    /// <summary>The name <c>gpt+</c>.</summary>
    public const string ArchitectureName = "gpt+";

    /// <inheritdoc/>
    public override string Name => ArchitectureName;

    /// <inheritdoc/>
    public override string Summary => "GPT with RMSNorm on every head's query and key (the Qwen3 block)";

    /// <inheritdoc/>
    protected override ModelConfig WithDefaults(ModelConfig config) => config with { QkNorm = true };
}
