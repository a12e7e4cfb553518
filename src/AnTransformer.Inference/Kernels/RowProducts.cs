using System.Runtime.CompilerServices;
using AnTransformer.Kernels.Cpu;

namespace AnTransformer.Inference.Kernels;

/// <summary>
/// Inner products of a matrix's rows with the activations of a few tokens, in the order in which the rows lie in
/// memory: what decoding costs is reading them, and processors read one stream faster than several side by side. A row
/// is multiplied with up to four tokens while it is in registers, in four sums for each; a token's sums do not depend
/// on which others there are.
/// </summary>
/// <typeparam name="V">The vector.</typeparam>
/// <typeparam name="F">How rows are stored.</typeparam>
internal static unsafe class RowProducts<V, F>
    where V : struct, ISimd<V>
    where F : struct, IWeightFormat
{
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
        if (tokens == 1)
        {
            One(w, rows, columns, x, y);
            return;
        }

        for (var row = 0; row < rows; row++, w += rowBytes, y++)
        {
            var token = 0;
            // Sixteen sums want more registers than the narrower vectors have.
            for (; V.Width >= 16 && token + 4 <= tokens; token += 4)
                Four(w, columns, x + (token * ldx), ldx, y + (token * ldy), ldy);
            for (; token + 2 <= tokens; token += 2)
                Two(w, columns, x + (token * ldx), ldx, y + (token * ldy), ldy);
            if (token < tokens)
                One(w, 1, columns, x + (token * ldx), y + (token * ldy));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void One(byte* w, int rows, int columns, float* x, float* y)
    {
        var rowBytes = (long)columns * F.Size;
        for (var row = 0; row < rows; row++, w += rowBytes)
        {
            V a0 = default, a1 = default, a2 = default, a3 = default;
            var i = 0;
            for (; i + (4 * V.Width) <= columns; i += 4 * V.Width)
            {
                a0 = V.MultiplyAdd(F.Load<V>(w, i), V.Load(x + i), a0);
                a1 = V.MultiplyAdd(F.Load<V>(w, i + V.Width), V.Load(x + i + V.Width), a1);
                a2 = V.MultiplyAdd(F.Load<V>(w, i + (2 * V.Width)), V.Load(x + i + (2 * V.Width)), a2);
                a3 = V.MultiplyAdd(F.Load<V>(w, i + (3 * V.Width)), V.Load(x + i + (3 * V.Width)), a3);
            }

            y[row] = Total(w, i, columns, x, a0, a1, a2, a3);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Two(byte* w, int columns, float* x, long ldx, float* y, long ldy)
    {
        var x1 = x + ldx;
        V a0 = default, a1 = default, a2 = default, a3 = default, b0 = default, b1 = default, b2 = default,
        b3 = default;
        var i = 0;
        for (; i + (4 * V.Width) <= columns; i += 4 * V.Width)
        {
            var m = F.Load<V>(w, i);
            a0 = V.MultiplyAdd(m, V.Load(x + i), a0);
            b0 = V.MultiplyAdd(m, V.Load(x1 + i), b0);
            m = F.Load<V>(w, i + V.Width);
            a1 = V.MultiplyAdd(m, V.Load(x + i + V.Width), a1);
            b1 = V.MultiplyAdd(m, V.Load(x1 + i + V.Width), b1);
            m = F.Load<V>(w, i + (2 * V.Width));
            a2 = V.MultiplyAdd(m, V.Load(x + i + (2 * V.Width)), a2);
            b2 = V.MultiplyAdd(m, V.Load(x1 + i + (2 * V.Width)), b2);
            m = F.Load<V>(w, i + (3 * V.Width));
            a3 = V.MultiplyAdd(m, V.Load(x + i + (3 * V.Width)), a3);
            b3 = V.MultiplyAdd(m, V.Load(x1 + i + (3 * V.Width)), b3);
        }

        y[0] = Total(w, i, columns, x, a0, a1, a2, a3);
        y[ldy] = Total(w, i, columns, x1, b0, b1, b2, b3);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Four(byte* w, int columns, float* x, long ldx, float* y, long ldy)
    {
        float* x1 = x + ldx, x2 = x1 + ldx, x3 = x2 + ldx;
        V a0 = default, a1 = default, a2 = default, a3 = default, b0 = default, b1 = default, b2 = default,
        b3 = default;
        V c0 = default, c1 = default, c2 = default, c3 = default, d0 = default, d1 = default, d2 = default,
        d3 = default;
        var i = 0;
        for (; i + (4 * V.Width) <= columns; i += 4 * V.Width)
        {
            var m = F.Load<V>(w, i);
            a0 = V.MultiplyAdd(m, V.Load(x + i), a0);
            b0 = V.MultiplyAdd(m, V.Load(x1 + i), b0);
            c0 = V.MultiplyAdd(m, V.Load(x2 + i), c0);
            d0 = V.MultiplyAdd(m, V.Load(x3 + i), d0);
            var at = i + V.Width;
            m = F.Load<V>(w, at);
            a1 = V.MultiplyAdd(m, V.Load(x + at), a1);
            b1 = V.MultiplyAdd(m, V.Load(x1 + at), b1);
            c1 = V.MultiplyAdd(m, V.Load(x2 + at), c1);
            d1 = V.MultiplyAdd(m, V.Load(x3 + at), d1);
            at += V.Width;
            m = F.Load<V>(w, at);
            a2 = V.MultiplyAdd(m, V.Load(x + at), a2);
            b2 = V.MultiplyAdd(m, V.Load(x1 + at), b2);
            c2 = V.MultiplyAdd(m, V.Load(x2 + at), c2);
            d2 = V.MultiplyAdd(m, V.Load(x3 + at), d2);
            at += V.Width;
            m = F.Load<V>(w, at);
            a3 = V.MultiplyAdd(m, V.Load(x + at), a3);
            b3 = V.MultiplyAdd(m, V.Load(x1 + at), b3);
            c3 = V.MultiplyAdd(m, V.Load(x2 + at), c3);
            d3 = V.MultiplyAdd(m, V.Load(x3 + at), d3);
        }

        y[0] = Total(w, i, columns, x, a0, a1, a2, a3);
        y[ldy] = Total(w, i, columns, x1, b0, b1, b2, b3);
        y[2 * ldy] = Total(w, i, columns, x2, c0, c1, c2, c3);
        y[3 * ldy] = Total(w, i, columns, x3, d0, d1, d2, d3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Total(byte* w, int from, int columns, float* x, V s0, V s1, V s2, V s3)
    {
        var sum = ((s0 + s1) + (s2 + s3)).Sum();
        return from == columns ? sum : sum + Rest(w, from, columns, x);
    }

    /// <summary>What fewer than four vectors are left over.</summary>
    private static float Rest(byte* w, int from, int columns, float* x)
    {
        V sum = default;
        SimdScalar last = default;
        var i = from;
        for (; i + V.Width <= columns; i += V.Width)
            sum = V.MultiplyAdd(F.Load<V>(w, i), V.Load(x + i), sum);
        for (; i < columns; i++)
            last = SimdScalar.MultiplyAdd(F.Load<SimdScalar>(w, i), SimdScalar.Load(x + i), last);
        return sum.Sum() + last.Sum();
    }
}
