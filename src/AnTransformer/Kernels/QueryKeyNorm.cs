namespace AnTransformer.Kernels;

/// <summary>
/// How queries and keys of a head are normalized, and where their gain is applied. CUDA kernels get the number.
/// </summary>
internal enum QueryKeyNorm
{
    /// <summary>scale ⊙ RoPE(x), the scale optional.</summary>
    None = 0,

    /// <summary>RoPE(gain ⊙ x / √(mean(x²) + ε)), as in GPT+.</summary>
    Rms = 1,

    /// <summary>scale ⊙ RoPE(x) / ‖x‖, as in nGPT; without a scale, as in anGPT.</summary>
    L2 = 2,
}
