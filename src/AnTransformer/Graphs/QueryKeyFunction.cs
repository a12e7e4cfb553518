namespace AnTransformer.Graphs;

/// <summary>What happens to every head's query and key, [..., d_h], besides rotary positions.</summary>
public abstract record QueryKeyFunction
{
    private protected QueryKeyFunction()
    {
    }
}

/// <summary>RoPE(x).</summary>
public sealed record RotaryOnly : QueryKeyFunction;

/// <summary>RoPE(gain ⊙ x / √(mean(x²) + ε)); heads share their gains.</summary>
/// <param name="QueryGain">[d_h].</param>
/// <param name="KeyGain">[d_h].</param>
/// <param name="Epsilon">ε.</param>
public sealed record RmsQueryKey(double[] QueryGain, double[] KeyGain, double Epsilon) : QueryKeyFunction;

/// <summary>scale ⊙ L2(RoPE(x)), or scale ⊙ RoPE(x).</summary>
/// <param name="Normalize">Whether L2 applies.</param>
/// <param name="Scales">
/// One for each channel of every head of keys, [K·d_h], which a query has from the keys that it meets; null for ones.
/// </param>
public sealed record UnitQueryKey(bool Normalize, double[]? Scales = null) : QueryKeyFunction;
