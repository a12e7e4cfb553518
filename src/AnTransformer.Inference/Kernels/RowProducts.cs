using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using AnTransformer.Inference.Weights;
using AnTransformer.Kernels.Cpu;

namespace AnTransformer.Inference.Kernels;

/// <summary>
/// Inner products of a matrix's rows with the activations of a few tokens. With one token what it costs is reading the
/// rows, and processors read one stream faster than several side by side: row after row. With more it is the products:
/// four rows are multiplied with four tokens (two, where a processor has sixteen registers) at a time, so that each
/// number loaded is used several times. A token's sums do not depend on which others there are in its four or two.
/// </summary>
/// <typeparam name="V">The vector.</typeparam>
/// <typeparam name="F">How rows are stored.</typeparam>
internal static unsafe class RowProducts<V, F>
    where V : struct, ISimd<V>
    where F : struct, IWeightFormat
{
    /// <summary>Rows that are multiplied at a time.</summary>
    public const int Rows = 4;

    /// <summary>y[t, r] = Σ w[r, i] x[t, i].</summary>
    /// <param name="w">First row; rows follow each other without a gap.</param>
    /// <param name="scales">Of blocks of 32 numbers, [rows, columns / 32]; null where rows have none.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Their length.</param>
    /// <param name="x">[tokens, columns].</param>
    /// <param name="ldx">Distance of x's rows.</param>
    /// <param name="tokens">Number of tokens.</param>
    /// <param name="y">[tokens, rows].</param>
    /// <param name="ldy">Distance of y's rows.</param>
    public static void Multiply(
        byte* w, float* scales, int rows, int columns, float* x, long ldx, int tokens, float* y, long ldy)
    {
        if (tokens == 1)
        {
            One(w, scales, rows, columns, x, y);
            return;
        }

        for (var row = 0; row < rows; row += Rows)
        {
            var count = Math.Min(Rows, rows - row);
            var token = 0;
            // Sixteen sums want more registers than the narrower vectors have.
            for (; V.Width >= 16 && count == Rows && token + 4 <= tokens; token += 4)
                FourByFour(w, scales, columns, x + (token * ldx), ldx, y + (token * ldy), ldy);
            for (; count == Rows && token + 2 <= tokens; token += 2)
                FourByTwo(w, scales, columns, x + (token * ldx), ldx, y + (token * ldy), ldy);
            for (; token < tokens; token++)
                One(w, scales, count, columns, x + (token * ldx), y + (token * ldy));
            w += (long)Rows * columns * F.Size;
            y += Rows;
            if (scales != null)
                scales += Rows * (columns / BlockQuantization.Block);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void One(byte* w, float* scales, int rows, int columns, float* x, float* y)
    {
        var rowBytes = (long)columns * F.Size;
        for (var row = 0; row < rows; row++, w += rowBytes)
        {
            V a0 = default, a1 = default, a2 = default, a3 = default;
            var i = 0;
            for (; i + (4 * V.Width) <= columns; i += 4 * V.Width)
            {
                a0.Add(F.Load<V>(w, scales, i), V.Load(x + i));
                var at = i + V.Width;
                a1.Add(F.Load<V>(w, scales, at), V.Load(x + at));
                at += V.Width;
                a2.Add(F.Load<V>(w, scales, at), V.Load(x + at));
                at += V.Width;
                a3.Add(F.Load<V>(w, scales, at), V.Load(x + at));
            }

            var sum = ((a0 + a1) + (a2 + a3)).Sum();
            y[row] = i == columns ? sum : sum + Rest(w, scales, i, columns, x);
            if (scales != null)
                scales += columns / BlockQuantization.Block;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourByFour(byte* w, float* scales, int columns, float* x, long ldx, float* y, long ldy)
    {
        var rowBytes = (long)columns * F.Size;
        byte* w1 = w + rowBytes, w2 = w1 + rowBytes, w3 = w2 + rowBytes;
        var blocks = scales == null ? 0 : columns / BlockQuantization.Block;
        float* s1 = scales + blocks, s2 = s1 + blocks, s3 = s2 + blocks;
        float* x1 = x + ldx, x2 = x1 + ldx, x3 = x2 + ldx;
        V a0 = default, a1 = default, a2 = default, a3 = default;
        V b0 = default, b1 = default, b2 = default, b3 = default;
        V c0 = default, c1 = default, c2 = default, c3 = default;
        V d0 = default, d1 = default, d2 = default, d3 = default;
        var i = 0;
        for (; i + V.Width <= columns; i += V.Width)
        {
            Prefetch(w3 + rowBytes + ((long)i * F.Size * Rows));
            V u0 = V.Load(x + i), u1 = V.Load(x1 + i), u2 = V.Load(x2 + i), u3 = V.Load(x3 + i);
            var m = F.Load<V>(w, scales, i);
            a0.Add(m, u0);
            a1.Add(m, u1);
            a2.Add(m, u2);
            a3.Add(m, u3);
            m = F.Load<V>(w1, s1, i);
            b0.Add(m, u0);
            b1.Add(m, u1);
            b2.Add(m, u2);
            b3.Add(m, u3);
            m = F.Load<V>(w2, s2, i);
            c0.Add(m, u0);
            c1.Add(m, u1);
            c2.Add(m, u2);
            c3.Add(m, u3);
            m = F.Load<V>(w3, s3, i);
            d0.Add(m, u0);
            d1.Add(m, u1);
            d2.Add(m, u2);
            d3.Add(m, u3);
        }

        Finish(y, a0, b0, c0, d0);
        Finish(y + ldy, a1, b1, c1, d1);
        Finish(y + (2 * ldy), a2, b2, c2, d2);
        Finish(y + (3 * ldy), a3, b3, c3, d3);
        if (i < columns)
            AddRest(w, scales, i, columns, x, ldx, 4, y, ldy);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourByTwo(byte* w, float* scales, int columns, float* x, long ldx, float* y, long ldy)
    {
        var rowBytes = (long)columns * F.Size;
        byte* w1 = w + rowBytes, w2 = w1 + rowBytes, w3 = w2 + rowBytes;
        var blocks = scales == null ? 0 : columns / BlockQuantization.Block;
        float* s1 = scales + blocks, s2 = s1 + blocks, s3 = s2 + blocks;
        var x1 = x + ldx;
        V a0 = default, a1 = default, b0 = default, b1 = default;
        V c0 = default, c1 = default, d0 = default, d1 = default;
        var i = 0;
        for (; i + V.Width <= columns; i += V.Width)
        {
            Prefetch(w3 + rowBytes + ((long)i * F.Size * Rows));
            V u0 = V.Load(x + i), u1 = V.Load(x1 + i);
            var m = F.Load<V>(w, scales, i);
            a0.Add(m, u0);
            a1.Add(m, u1);
            m = F.Load<V>(w1, s1, i);
            b0.Add(m, u0);
            b1.Add(m, u1);
            m = F.Load<V>(w2, s2, i);
            c0.Add(m, u0);
            c1.Add(m, u1);
            m = F.Load<V>(w3, s3, i);
            d0.Add(m, u0);
            d1.Add(m, u1);
        }

        Finish(y, a0, b0, c0, d0);
        Finish(y + ldy, a1, b1, c1, d1);
        if (i < columns)
            AddRest(w, scales, i, columns, x, ldx, 2, y, ldy);
    }

    /// <summary>
    /// Asks for as much of the next four rows, in the order of memory, as is read of these: processors foresee one
    /// stream, and four not as well.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(byte* next)
    {
        if (!Sse.IsSupported)
            return;
        for (var line = 0; line < Rows * V.Width * F.Size; line += 64)
            Sse.Prefetch0(next + line);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(float* y, V a, V b, V c, V d)
    {
        y[0] = a.Sum();
        y[1] = b.Sum();
        y[2] = c.Sum();
        y[3] = d.Sum();
    }

    private static void AddRest(
        byte* w, float* scales, int from, int columns, float* x, long ldx, int tokens, float* y, long ldy)
    {
        var blocks = scales == null ? 0 : columns / BlockQuantization.Block;
        for (var row = 0; row < Rows; row++)
        {
            for (var token = 0; token < tokens; token++)
            {
                y[(token * ldy) + row] += Rest(
                    w + ((long)row * columns * F.Size), scales + (row * blocks), from, columns, x + (token * ldx));
            }
        }
    }

    /// <summary>What the loops have left over.</summary>
    private static float Rest(byte* w, float* scales, int from, int columns, float* x)
    {
        V sum = default;
        SimdScalar last = default;
        var i = from;
        for (; i + V.Width <= columns; i += V.Width)
            sum = V.MultiplyAdd(F.Load<V>(w, scales, i), V.Load(x + i), sum);
        for (; i < columns; i++)
            last = SimdScalar.MultiplyAdd(F.Load<SimdScalar>(w, scales, i), SimdScalar.Load(x + i), last);
        return sum.Sum() + last.Sum();
    }
}
