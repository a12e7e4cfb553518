namespace AnTransformer.Inference;

/// <summary>
/// How matrices lie in memory while they are multiplied. Activations, sums and the KV cache are single precision.
/// </summary>
public enum WeightDtype
{
    /// <summary>Single precision; where the file has it, its mapping is read and nothing is copied.</summary>
    F32,

    /// <summary>Brain floating point, rounded to nearest: half of the bytes, 8 bits of precision.</summary>
    BF16,

    /// <summary>
    /// Blocks of 32 whole numbers of 8 bits with a half-precision scale, as GGUF's Q8_0: 8.5 bits a number. Matrices
    /// whose rows are not whole blocks are BF16.
    /// </summary>
    Q8,
}
