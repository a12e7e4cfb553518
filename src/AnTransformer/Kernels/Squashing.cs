namespace AnTransformer.Kernels;

/// <summary>The bounded functions that stand in for a normalization layer.</summary>
internal enum Squashing
{
    /// <summary>tanh (arXiv 2503.10622).</summary>
    Tanh,

    /// <summary>erf(z) = 2/√π ∫₀ᶻ exp(−t²) dt (arXiv 2512.10938).</summary>
    Erf,
}
