using AnTransformer.Configuration;
using static TorchSharp.torch;

namespace AnTransformer.Operators;

/// <summary>What attention is applied to.</summary>
/// <param name="Qkv">Projected queries, keys and values of all heads, [B, T, (H + 2K)·d_h].</param>
/// <param name="Normalization">How queries and keys are normalized.</param>
/// <param name="Rotary">Positions.</param>
/// <param name="Start">Position of the first of the T tokens.</param>
/// <param name="Scale">Softmax scale.</param>
/// <param name="Shape">H, K, d_h and the mask.</param>
/// <param name="Context">Dtypes, device and backend.</param>
internal readonly record struct AttentionInput(
    Tensor Qkv,
    QueryKeyNormalization Normalization,
    RotaryEmbedding Rotary,
    long Start,
    double Scale,
    AttentionShape Shape,
    ModelContext Context)
{
    /// <summary>What a query is multiplied by, since LibTorch's operator scales by 1/√d_h.</summary>
    public double QueryFactor => Scale * Math.Sqrt(Shape.HeadSize);
}
