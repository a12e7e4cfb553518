using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using AnTransformer.Kernels.Cpu;

namespace AnTransformer.Inference.Kernels;

/// <summary>
/// Inner products of a matrix's rows with the activations of a few tokens, in the order in which the rows lie in memory: what
/// decoding costs is reading them. Four rows are read side by side, and each is multiplied with up to four tokens while it is in
/// registers. A token's sums do not depend on which others are computed with it.
/// </summary>
/// <typeparam name="V">The vector.</typeparam>
/// <typeparam name="F">How rows are stored.</typeparam>
internal static unsafe class RowProducts<V, F>
    where V : struct, ISimd<V>
    where F : struct, IWeightFormat
{
    // Bytes ahead of what is read: the processor's own prefetching stops at the end of a page and of a row.
    private const int PrefetchDistance = 4096;

    /// <summary>y[t, r] = Σ w[r, i] x[t, i].</summary>
    /// <param name="w">First row; rows follow each other without a gap.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Their length.</param>
    /// <param name="x">[tokens, columns].</param>
    /// <param name="ldx">Distance of x's rows.</param>
    /// <param name="tokens">Number of tokens.</param>
    /// <param name="y">[tokens, rows].</param>
    /// <param name="ldy">Distance of y's rows.</param>
    public static void Multiply(
        byte* w, int rows, int columns, float* x, long ldx, int tokens, float* y, long ldy)
    {
        var rowBytes = (long)columns * F.Size;
        var row = 0;
        for (; row + 4 <= rows; row += 4, w += 4 * rowBytes, y += 4)
        {
            var token = 0;
            if (V.Width >= 16)
            {
                for (; token + 4 <= tokens; token += 4)
                    FourByFour(w, rowBytes, columns, x + (token * ldx), ldx, y + (token * ldy), ldy);
            }

            for (; token + 2 <= tokens; token += 2)
                FourByTwo(w, rowBytes, columns, x + (token * ldx), ldx, y + (token * ldy), ldy);
            if (token < tokens)
                FourByOne(w, rowBytes, columns, x + (token * ldx), y + (token * ldy));
        }

        for (; row < rows; row++, w += rowBytes, y++)
        {
            for (var token = 0; token < tokens; token++)
                y[token * ldy] = One(w, columns, x + (token * ldx));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourByOne(byte* w, long rowBytes, int columns, float* x, float* y)
    {
        byte* w1 = w + rowBytes, w2 = w1 + rowBytes, w3 = w2 + rowBytes;
        V a0 = default, a1 = default, a2 = default, a3 = default;
        var i = 0;
        for (; i + V.Width <= columns; i += V.Width)
        {
            if (Sse.IsSupported)
            {
                // The four rows are one stretch of memory, and so is what comes after them.
                Sse.Prefetch0(w + PrefetchDistance + ((long)i * F.Size));
                Sse.Prefetch0(w1 + PrefetchDistance + ((long)i * F.Size));
                Sse.Prefetch0(w2 + PrefetchDistance + ((long)i * F.Size));
                Sse.Prefetch0(w3 + PrefetchDistance + ((long)i * F.Size));
            }

            var v = V.Load(x + i);
            a0 = V.MultiplyAdd(F.Load<V>(w, i), v, a0);
            a1 = V.MultiplyAdd(F.Load<V>(w1, i), v, a1);
            a2 = V.MultiplyAdd(F.Load<V>(w2, i), v, a2);
            a3 = V.MultiplyAdd(F.Load<V>(w3, i), v, a3);
        }

        y[0] = a0.Sum() + Rest(w, i, columns, x);
        y[1] = a1.Sum() + Rest(w1, i, columns, x);
        y[2] = a2.Sum() + Rest(w2, i, columns, x);
        y[3] = a3.Sum() + Rest(w3, i, columns, x);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourByTwo(byte* w, long rowBytes, int columns, float* x, long ldx, float* y, long ldy)
    {
        byte* w1 = w + rowBytes, w2 = w1 + rowBytes, w3 = w2 + rowBytes;
        float* x1 = x + ldx;
        V a0 = default, a1 = default, a2 = default, a3 = default, b0 = default, b1 = default, b2 = default, b3 = default;
        var i = 0;
        for (; i + V.Width <= columns; i += V.Width)
        {
            V v0 = V.Load(x + i), v1 = V.Load(x1 + i);
            var m = F.Load<V>(w, i);
            a0 = V.MultiplyAdd(m, v0, a0);
            b0 = V.MultiplyAdd(m, v1, b0);
            m = F.Load<V>(w1, i);
            a1 = V.MultiplyAdd(m, v0, a1);
            b1 = V.MultiplyAdd(m, v1, b1);
            m = F.Load<V>(w2, i);
            a2 = V.MultiplyAdd(m, v0, a2);
            b2 = V.MultiplyAdd(m, v1, b2);
            m = F.Load<V>(w3, i);
            a3 = V.MultiplyAdd(m, v0, a3);
            b3 = V.MultiplyAdd(m, v1, b3);
        }

        Store(w, rowBytes, i, columns, x, y, a0, a1, a2, a3);
        Store(w, rowBytes, i, columns, x1, y + ldy, b0, b1, b2, b3);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourByFour(byte* w, long rowBytes, int columns, float* x, long ldx, float* y, long ldy)
    {
        byte* w1 = w + rowBytes, w2 = w1 + rowBytes, w3 = w2 + rowBytes;
        float* x1 = x + ldx, x2 = x1 + ldx, x3 = x2 + ldx;
        V a0 = default, a1 = default, a2 = default, a3 = default, b0 = default, b1 = default, b2 = default, b3 = default;
        V c0 = default, c1 = default, c2 = default, c3 = default, d0 = default, d1 = default, d2 = default, d3 = default;
        var i = 0;
        for (; i + V.Width <= columns; i += V.Width)
        {
            V v0 = V.Load(x + i), v1 = V.Load(x1 + i), v2 = V.Load(x2 + i), v3 = V.Load(x3 + i);
            var m = F.Load<V>(w, i);
            a0 = V.MultiplyAdd(m, v0, a0);
            b0 = V.MultiplyAdd(m, v1, b0);
            c0 = V.MultiplyAdd(m, v2, c0);
            d0 = V.MultiplyAdd(m, v3, d0);
            m = F.Load<V>(w1, i);
            a1 = V.MultiplyAdd(m, v0, a1);
            b1 = V.MultiplyAdd(m, v1, b1);
            c1 = V.MultiplyAdd(m, v2, c1);
            d1 = V.MultiplyAdd(m, v3, d1);
            m = F.Load<V>(w2, i);
            a2 = V.MultiplyAdd(m, v0, a2);
            b2 = V.MultiplyAdd(m, v1, b2);
            c2 = V.MultiplyAdd(m, v2, c2);
            d2 = V.MultiplyAdd(m, v3, d2);
            m = F.Load<V>(w3, i);
            a3 = V.MultiplyAdd(m, v0, a3);
            b3 = V.MultiplyAdd(m, v1, b3);
            c3 = V.MultiplyAdd(m, v2, c3);
            d3 = V.MultiplyAdd(m, v3, d3);
        }

        Store(w, rowBytes, i, columns, x, y, a0, a1, a2, a3);
        Store(w, rowBytes, i, columns, x1, y + ldy, b0, b1, b2, b3);
        Store(w, rowBytes, i, columns, x2, y + (2 * ldy), c0, c1, c2, c3);
        Store(w, rowBytes, i, columns, x3, y + (3 * ldy), d0, d1, d2, d3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(byte* w, long rowBytes, int from, int columns, float* x, float* y, V s0, V s1, V s2, V s3)
    {
        y[0] = s0.Sum() + Rest(w, from, columns, x);
        y[1] = s1.Sum() + Rest(w + rowBytes, from, columns, x);
        y[2] = s2.Sum() + Rest(w + (2 * rowBytes), from, columns, x);
        y[3] = s3.Sum() + Rest(w + (3 * rowBytes), from, columns, x);
    }

    private static float One(byte* w, int columns, float* x)
    {
        V sum = default;
        var i = 0;
        for (; i + V.Width <= columns; i += V.Width)
            sum = V.MultiplyAdd(F.Load<V>(w, i), V.Load(x + i), sum);
        return sum.Sum() + Rest(w, i, columns, x);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Rest(byte* w, int from, int columns, float* x) => from == columns ? 0 : Tail(w, from, columns, x);

    private static float Tail(byte* w, int from, int columns, float* x)
    {
        SimdScalar sum = default;
        for (var i = from; i < columns; i++)
            sum = SimdScalar.MultiplyAdd(F.Load<SimdScalar>(w, i), SimdScalar.Load(x + i), sum);
        return sum.Sum();
    }
}
