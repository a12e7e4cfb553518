using AnTransformer.Configuration;
using AnTransformer.Graphs;

namespace AnTransformer.Export.Standard;

/// <summary>
/// A model in the terms of the two architectures that other programs run: Llama (RMSNorm, rotary positions, gated MLP,
/// plain sums) and Qwen3 (the same with RMSNorm of every head's queries and keys).
/// </summary>
/// <param name="Config">Sizes.</param>
/// <param name="Epsilon">The one ε of all norms.</param>
/// <param name="Embedding">E, [V, d].</param>
/// <param name="Blocks">The blocks in order.</param>
/// <param name="FinalNorm">Gain of the norm before the head, [d].</param>
/// <param name="Head">W_head, [V, d]; null where it is the embedding.</param>
internal sealed record StandardModel(
    ModelConfig Config,
    double Epsilon,
    ScaledMatrix Embedding,
    IReadOnlyList<StandardBlock> Blocks,
    double[] FinalNorm,
    ScaledMatrix? Head)
{
    /// <summary>Whether queries and keys are normalized: Qwen3, and otherwise Llama.</summary>
    public bool IsQwen3 => Blocks[0].QueryNorm is not null;

    /// <summary>The constants that make norms the identity; null where the model has norms of its own.</summary>
    public IdentityNorm? Identity { get; init; }

    /// <summary>How many tokens those constants were settled on.</summary>
    public int Tokens { get; init; }
}

/// <summary>A block of a <see cref="StandardModel"/>.</summary>
/// <param name="AttentionNorm">Gain, [d].</param>
/// <param name="Query">[H·d_h, d].</param>
/// <param name="Key">[K·d_h, d].</param>
/// <param name="Value">[K·d_h, d].</param>
/// <param name="QueryNorm">Gain, [d_h]; null for Llama.</param>
/// <param name="KeyNorm">Gain, [d_h]; null for Llama.</param>
/// <param name="Output">[d, H·d_h].</param>
/// <param name="MlpNorm">Gain, [d].</param>
/// <param name="Gate">[f, d].</param>
/// <param name="Up">[f, d].</param>
/// <param name="Down">[d, f].</param>
internal sealed record StandardBlock(
    double[] AttentionNorm,
    ScaledMatrix Query,
    ScaledMatrix Key,
    ScaledMatrix Value,
    double[]? QueryNorm,
    double[]? KeyNorm,
    ScaledMatrix Output,
    double[] MlpNorm,
    ScaledMatrix Gate,
    ScaledMatrix Up,
    ScaledMatrix Down);
