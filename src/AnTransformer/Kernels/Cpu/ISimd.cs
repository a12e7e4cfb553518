using System.Runtime.CompilerServices;

namespace AnTransformer.Kernels.Cpu;

/// <summary>
/// A vector of floats. A kernel is written once against this interface; the just-in-time compiler specializes it for each
/// implementing struct, so that it costs nothing. <see cref="SimdScalar"/> runs the same formulas on what a row leaves over.
/// </summary>
/// <typeparam name="TSelf">The implementing struct.</typeparam>
internal unsafe interface ISimd<TSelf>
    where TSelf : struct, ISimd<TSelf>
{
    /// <summary>Number of floats.</summary>
    static abstract int Width { get; }

    static abstract TSelf Load(float* source);

    static abstract TSelf Broadcast(float value);

    static abstract TSelf operator +(TSelf a, TSelf b);

    static abstract TSelf operator -(TSelf a, TSelf b);

    static abstract TSelf operator *(TSelf a, TSelf b);

    static abstract TSelf operator /(TSelf a, TSelf b);

    /// <summary>a·b + c.</summary>
    static abstract TSelf MultiplyAdd(TSelf a, TSelf b, TSelf c);

    static abstract TSelf Sqrt(TSelf a);

    /// <summary>The larger one; b where either is not a number.</summary>
    static abstract TSelf Max(TSelf a, TSelf b);

    /// <summary>The smaller one; b where either is not a number.</summary>
    static abstract TSelf Min(TSelf a, TSelf b);

    /// <summary>To the nearest whole number.</summary>
    static abstract TSelf Round(TSelf a);

    /// <summary>a·2ⁿ for whole n in [-126, 127].</summary>
    static abstract TSelf ScaleByPowerOfTwo(TSelf a, TSelf n);

    void Store(float* destination);

    /// <summary>Sum of all floats.</summary>
    float Sum();

    /// <summary>Largest of all floats.</summary>
    float Largest();
}

/// <summary>Functions made of <see cref="ISimd{TSelf}"/>'s operations.</summary>
internal static class SimdMath
{
    private const float SmallestExponent = -87.33f;
    private const float LargestExponent = 88.02f;

    /// <summary>
    /// eˣ to about 1 unit in the last place, for x clamped to [-87.33, 88.02], outside of which fp32 has no normal result. Reduction
    /// to |r| ≤ ln 2 / 2 and a polynomial with Cephes' coefficients.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Exp<V>(V x)
        where V : struct, ISimd<V>
    {
        x = V.Min(V.Broadcast(LargestExponent), V.Max(V.Broadcast(SmallestExponent), x));
        var n = V.Round(x * V.Broadcast(1.44269504f));
        var r = V.MultiplyAdd(n, V.Broadcast(-0.693359375f), x);
        r = V.MultiplyAdd(n, V.Broadcast(2.12194440e-4f), r);
        var p = V.MultiplyAdd(V.Broadcast(1.9875691500e-4f), r, V.Broadcast(1.3981999507e-3f));
        p = V.MultiplyAdd(p, r, V.Broadcast(8.3334519073e-3f));
        p = V.MultiplyAdd(p, r, V.Broadcast(4.1665795894e-2f));
        p = V.MultiplyAdd(p, r, V.Broadcast(1.6666665459e-1f));
        p = V.MultiplyAdd(p, r, V.Broadcast(5.0000001201e-1f));
        p = V.MultiplyAdd(p, r * r, r) + V.Broadcast(1);
        return V.ScaleByPowerOfTwo(p, n);
    }

    /// <summary>1 / (1 + e⁻ˣ).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Sigmoid<V>(V x)
        where V : struct, ISimd<V>
        => V.Broadcast(1) / (V.Broadcast(1) + Exp(V.Broadcast(0) - x));
}
