namespace AnTransformer.Kernels.Cuda;

/// <summary>How queries and keys are normalized, and where their gain is applied.</summary>
public enum QueryKeyNorm
{
    /// <summary>scale ⊙ RoPE(x), the scale optional.</summary>
    None = 0,

    /// <summary>RoPE(gain ⊙ x / √(mean(x²) + ε)), as in GPT+.</summary>
    Rms = 1,

    /// <summary>scale ⊙ RoPE(x) / ‖x‖, as in nGPT; without a scale, as in anGPT.</summary>
    L2 = 2,
}
