namespace AnTransformer.Export.Standard;

/// <summary>
/// What makes RMSNorm the identity up to rounding: with an ε that dwarfs mean(x²) and the gain √ε, √ε · x / √(mean(x²)
/// + ε) = x, with a relative error of mean(x²) / 2ε. Norms of queries and keys share that ε; they do not depend on the
/// scale of what they normalize, so W_q and W_k times S keep them true norms, with a relative error of ε / (2 S²
/// mean(q²)).
/// </summary>
/// <param name="Epsilon">ε, a power of 4, so that its root scales without rounding.</param>
/// <param name="QueryKeyScale">S, a power of 2 that the type's numbers bear.</param>
/// <param name="LargestEpsilon">Where x / √ε would leave the range of the type.</param>
/// <param name="Tolerance">The largest relative error that is small beside the type's own rounding.</param>
internal sealed record IdentityNorm(double Epsilon, double QueryKeyScale, double LargestEpsilon, double Tolerance)
{
    /// <summary>√ε, the gain.</summary>
    public double Gain => Math.Sqrt(Epsilon);

    /// <summary>
    /// The relative error of norms that are to leave the stream alone, at its largest; not a number before it was
    /// measured.
    /// </summary>
    public double StreamError { get; private init; } = double.NaN;

    /// <summary>The relative error of norms of queries and keys, at its largest; 0 where there are none.</summary>
    public double QueryKeyError { get; private init; } = double.NaN;

    /// <summary>Whether both errors are small.</summary>
    public bool Holds => StreamError <= Tolerance && QueryKeyError <= Tolerance;

    /// <summary>The constants for a type, before anything was measured.</summary>
    /// <param name="dtype">The type that matrices are written in.</param>
    public static IdentityNorm For(ExportDtype dtype) => dtype switch
    {
        // Scaled queries stay below 65504 with half precision; the scales of blocks of bytes are half-precision
        // numbers.
        ExportDtype.F16 => new IdentityNorm(Math.Pow(2, 4), Math.Pow(2, 12), Math.Pow(2, 12), 2e-3),
        ExportDtype.Q8 => new IdentityNorm(Math.Pow(2, 12), Math.Pow(2, 20), Math.Pow(2, 24), 2e-3),
        ExportDtype.BF16 => new IdentityNorm(Math.Pow(2, 34), Math.Pow(2, 40), Math.Pow(2, 44), 1e-4),
        _ => new IdentityNorm(Math.Pow(2, 34), Math.Pow(2, 40), Math.Pow(2, 44), 1e-7),
    };

    /// <summary>The ε at which the larger of the two errors is smallest.</summary>
    /// <param name="stream">The largest mean(x²) of a stream.</param>
    /// <param name="queryKey">
    /// The smallest mean(q²) of a query or key, already times S²; null where none is normalized.
    /// </param>
    public IdentityNorm Balance(double stream, double? queryKey)
    {
        // ε where mean(x²) / 2ε = ε / 2 S² mean(q²); without the second error as large as may be.
        var wanted = queryKey is { } smallest ? Math.Sqrt(stream * smallest) : LargestEpsilon;
        var exponent = Math.Round(Math.Log2(wanted) / 2);
        var epsilon = double.IsFinite(exponent) ? Math.Clamp(Math.Pow(4, exponent), 1, LargestEpsilon) : Epsilon;
        return this with
        {
            Epsilon = epsilon,
            StreamError = stream / (2 * epsilon),
            QueryKeyError = epsilon / (2 * queryKey) ?? 0,
        };
    }
}
