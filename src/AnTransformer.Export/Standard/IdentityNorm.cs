namespace AnTransformer.Export.Standard;

/// <summary>
/// What makes RMSNorm the identity up to rounding: with an ε that dwarfs mean(x²) and the gain √ε, √ε · x / √(mean(x²) + ε) = x, with a
/// relative error of mean(x²) / 2ε. Norms of queries and keys share that ε; they do not depend on the scale of what they normalize, so
/// W_q and W_k times S keep them true norms, with a relative error of ε / (2 S² mean(q²)).
/// </summary>
/// <param name="Epsilon">ε.</param>
/// <param name="QueryKeyScale">S.</param>
/// <param name="Tolerance">The largest relative error that is small beside the type's own rounding.</param>
internal sealed record IdentityNorm(double Epsilon, double QueryKeyScale, double Tolerance)
{
    /// <summary>√ε, the gain.</summary>
    public double Gain => Math.Sqrt(Epsilon);

    /// <summary>The constants for a type: powers of two, which scale without rounding, within the range of its numbers.</summary>
    /// <param name="dtype">The type that matrices are written in.</param>
    public static IdentityNorm For(ExportDtype dtype) => dtype switch
    {
        // Scaled queries stay below 65504 with half precision; the scales of blocks of bytes are half-precision numbers.
        ExportDtype.F16 => new IdentityNorm(Math.Pow(2, 4), Math.Pow(2, 12), 2e-3),
        ExportDtype.Q8 => new IdentityNorm(Math.Pow(2, 12), Math.Pow(2, 20), 2e-3),
        ExportDtype.BF16 => new IdentityNorm(Math.Pow(2, 34), Math.Pow(2, 40), 1e-4),
        _ => new IdentityNorm(Math.Pow(2, 34), Math.Pow(2, 40), 1e-7),
    };
}
