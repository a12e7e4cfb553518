using AnTransformer.Kernels;
using TorchSharp.Modules;

namespace AnTransformer.Operators;

/// <summary>How an architecture normalizes the queries and keys of a head.</summary>
public sealed class QueryKeyNormalization
{
    private QueryKeyNormalization(
        QueryKeyNorm kind, Parameter? query = null, Parameter? key = null, double factor = 1, double epsilon = 0)
        => (Kind, Query, Key, Factor, Epsilon) = (kind, query, key, factor, epsilon);

    /// <summary>Rotary positions only.</summary>
    public static QueryKeyNormalization None { get; } = new(QueryKeyNorm.None);

    /// <summary>L2(RoPE(x)).</summary>
    public static QueryKeyNormalization L2 { get; } = new(QueryKeyNorm.L2);

    internal QueryKeyNorm Kind { get; }

    internal Parameter? Query { get; }

    internal Parameter? Key { get; }

    internal double Factor { get; }

    internal double Epsilon { get; }

    /// <summary>RoPE(gain ⊙ RMS(x)), one gain for queries and one for keys, shared by the heads.</summary>
    /// <param name="query">RMSNorm over d_h.</param>
    /// <param name="key">RMSNorm over d_h.</param>
    public static QueryKeyNormalization Rms(RmsNorm query, RmsNorm key)
        => new(QueryKeyNorm.Rms, query.Weight, key.Weight, epsilon: query.Epsilon);

    /// <summary>
    /// s ⊙ RoPE(x), or s ⊙ L2(RoPE(x)), with one scale per channel of every head of keys; a query has the scale of the
    /// keys that it meets.
    /// </summary>
    /// <param name="scale">s_qk, [K·d_h].</param>
    /// <param name="normalize">Whether L2 applies.</param>
    public static QueryKeyNormalization Scaled(ReparameterizedScale scale, bool normalize)
        => new(normalize ? QueryKeyNorm.L2 : QueryKeyNorm.None, scale.Stored, scale.Stored, scale.ToValue);
}
