using System.Runtime.CompilerServices;

namespace AnTransformer.Kernels.Cpu;

/// <summary>
/// A vector of floats. A kernel is written once against this interface; the just-in-time compiler specializes it for
/// each implementing struct, so that it costs nothing. <see cref="SimdScalar"/> runs the same formulas on what a row
/// leaves over.
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

    /// <summary>
    /// This ← a·b + this. As <see cref="MultiplyAdd"/>, but what comes out stays in the register of the sum: the
    /// compiler would otherwise write to that of a factor and move it.
    /// </summary>
    void Add(TSelf a, TSelf b);

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
    /// eˣ to about 1 unit in the last place, for x clamped to [-87.33, 88.02], outside of which fp32 has no normal
    /// result. Reduction to |r| ≤ ln 2 / 2 and a polynomial with Cephes' coefficients.
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

    /// <summary>tanh x = 1 − 2 / (1 + e²ˣ), to about 1e-7 absolute.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Tanh<V>(V x)
        where V : struct, ISimd<V>
        => V.Broadcast(1) - (V.Broadcast(2) / (V.Broadcast(1) + Exp(x + x)));

    /// <summary>
    /// erf x from e^(−x²), to 2e-7: up to |x| = 1 an odd polynomial that is relatively exact, beyond it Abramowitz and
    /// Stegun's formula 7.1.26 (1964), which loses near 0 what it subtracts.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Erf<V>(V x, V gauss)
        where V : struct, ISimd<V>
    {
        var one = V.Broadcast(1);
        var size = V.Max(x, V.Broadcast(0) - x);
        var t = one / V.MultiplyAdd(V.Broadcast(0.3275911f), size, one);
        var p = V.MultiplyAdd(V.Broadcast(1.061405429f), t, V.Broadcast(-1.453152027f));
        p = V.MultiplyAdd(p, t, V.Broadcast(1.421413741f));
        p = V.MultiplyAdd(p, t, V.Broadcast(-0.284496736f));
        p = V.MultiplyAdd(p, t, V.Broadcast(0.254829592f));
        // Times x/|x|, and 0 at 0, where a division would make no number.
        var far = (one - (p * t * gauss)) * (x / V.Max(size, V.Broadcast(1e-30f)));

        var within = V.Max(V.Broadcast(-1), V.Min(one, x));
        var square = within * within;
        p = V.MultiplyAdd(V.Broadcast(7.85386e-5f), square, V.Broadcast(-8.010193e-4f));
        p = V.MultiplyAdd(p, square, V.Broadcast(5.1883277e-3f));
        p = V.MultiplyAdd(p, square, V.Broadcast(-2.6853811e-2f));
        p = V.MultiplyAdd(p, square, V.Broadcast(0.11283585f));
        p = V.MultiplyAdd(p, square, V.Broadcast(-0.37612626f));
        var near = V.MultiplyAdd(p, square, V.Broadcast(1.1283791f)) * within;

        // 1 where |x| is above 1, else 0.
        var isFar = V.Min(one, V.Max(V.Broadcast(0), (size - one) * V.Broadcast(1e30f)));
        return V.MultiplyAdd(isFar, far - near, near);
    }
}
