using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace AnTransformer.Kernels.Cpu;

/// <summary>
/// The innermost loop of a matrix product: a tile of the result, some rows of two vectors, in registers, to which each
/// step adds a broadcast element of A for each row times two vectors of B. Eight rows are sixteen independent sums, for
/// the thirty-two registers of AVX-512 and Arm; six rows are twelve, for the sixteen of AVX2, which leaves room for two
/// vectors of B and an element of A. Either keeps the multiplier busy for as long as a sum takes.
/// </summary>
/// <typeparam name="V">The vector.</typeparam>
internal static unsafe class GemmTile<V>
    where V : struct, ISimd<V>
{
    /// <summary>Rows of a tile.</summary>
    public static int Rows
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => V.Width == GemmTile.WidthOfFewRegisters ? 6 : GemmTile.MostRows;
    }

    /// <summary>Columns of a tile: two vectors.</summary>
    public static int Columns
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 2 * V.Width;
    }

    /// <summary>C ← α·A·B + (C or nothing) for one tile.</summary>
    /// <param name="depth">Steps.</param>
    /// <param name="a">A's first element.</param>
    /// <param name="rowStep">Distance of A's element in the next row.</param>
    /// <param name="depthStep">Distance of A's element in the next step.</param>
    /// <param name="b">A panel of B: [depth, <see cref="Columns"/>].</param>
    /// <param name="c">The tile's first element.</param>
    /// <param name="ldc">Distance of C's rows.</param>
    /// <param name="alpha">α.</param>
    /// <param name="add">Whether C's elements are added.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(
        int depth, float* a, long rowStep, long depthStep, float* b, float* c, long ldc, float alpha, bool add)
    {
        float* a1 = a + rowStep, a2 = a1 + rowStep, a3 = a2 + rowStep, a4 = a3 + rowStep, a5 = a4 + rowStep, a6 = a5
            + rowStep, a7 = a6 + rowStep;
        V c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default, c30 = default,
        c31 = default;
        V c40 = default, c41 = default, c50 = default, c51 = default, c60 = default, c61 = default, c70 = default,
        c71 = default;

        // The tile of C is on its way to the cache while the sums are made.
        for (var row = 0; row < (Sse.IsSupported ? Rows : 0); row++)
        {
            Sse.Prefetch0(c + (row * ldc));
            Sse.Prefetch0(c + (row * ldc) + V.Width);
        }

        var at = 0L;
        for (var step = 0; step < depth; step++)
        {
            var b0 = V.Load(b);
            var b1 = V.Load(b + V.Width);
            var x = V.Broadcast(a[at]);
            c00.Add(x, b0);
            c01.Add(x, b1);
            x = V.Broadcast(a1[at]);
            c10.Add(x, b0);
            c11.Add(x, b1);
            x = V.Broadcast(a2[at]);
            c20.Add(x, b0);
            c21.Add(x, b1);
            x = V.Broadcast(a3[at]);
            c30.Add(x, b0);
            c31.Add(x, b1);
            x = V.Broadcast(a4[at]);
            c40.Add(x, b0);
            c41.Add(x, b1);
            x = V.Broadcast(a5[at]);
            c50.Add(x, b0);
            c51.Add(x, b1);
            // A constant for each width: the compiler leaves the lines out.
            if (Rows > 6)
            {
                x = V.Broadcast(a6[at]);
                c60.Add(x, b0);
                c61.Add(x, b1);
                x = V.Broadcast(a7[at]);
                c70.Add(x, b0);
                c71.Add(x, b1);
            }

            at += depthStep;
            b += Columns;
        }

        var factor = V.Broadcast(alpha);
        Finish(c, c00, c01, factor, add);
        Finish(c + ldc, c10, c11, factor, add);
        Finish(c + (2 * ldc), c20, c21, factor, add);
        Finish(c + (3 * ldc), c30, c31, factor, add);
        Finish(c + (4 * ldc), c40, c41, factor, add);
        Finish(c + (5 * ldc), c50, c51, factor, add);
        if (Rows > 6)
        {
            Finish(c + (6 * ldc), c60, c61, factor, add);
            Finish(c + (7 * ldc), c70, c71, factor, add);
        }
    }

    /// <summary>
    /// <see cref="Multiply"/> for a tile of which only some rows and columns exist in C; A must have all of a tile's
    /// rows.
    /// </summary>
    public static void MultiplyPart(
        int depth, float* a, long rowStep, long depthStep, float* b, float* c, long ldc, float alpha, bool add,
        int height, int width)
    {
        if (height == Rows && width == Columns)
        {
            Multiply(depth, a, rowStep, depthStep, b, c, ldc, alpha, add);
            return;
        }

        var tile = stackalloc float[Rows * Columns];
        Multiply(depth, a, rowStep, depthStep, b, tile, Columns, alpha, add: false);
        for (var row = 0; row < height; row++, c += ldc)
        {
            for (var column = 0; column < width; column++)
                c[column] = add ? c[column] + tile[(row * Columns) + column] : tile[(row * Columns) + column];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(float* c, V first, V second, V factor, bool add)
    {
        if (add)
        {
            V.MultiplyAdd(first, factor, V.Load(c)).Store(c);
            V.MultiplyAdd(second, factor, V.Load(c + V.Width)).Store(c + V.Width);
        }
        else
        {
            (first * factor).Store(c);
            (second * factor).Store(c + V.Width);
        }
    }
}

/// <summary>What tiles of all widths share.</summary>
internal static class GemmTile
{
    /// <summary>Rows of a tile at most.</summary>
    public const int MostRows = 8;

    /// <summary>Vectors of so many floats have sixteen registers: AVX2.</summary>
    public const int WidthOfFewRegisters = 8;
}
