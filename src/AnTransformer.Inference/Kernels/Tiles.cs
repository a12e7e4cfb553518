using System.Runtime.CompilerServices;
using AnTransformer.Kernels.Cpu;

namespace AnTransformer.Inference.Kernels;

/// <summary>
/// Products of some rows with a panel of two vectors' columns, by the tile that fits the processor's registers.
/// </summary>
/// <typeparam name="V">The vector.</typeparam>
internal static unsafe class Tiles<V>
    where V : struct, ISimd<V>
{
    /// <summary>
    /// Both tiles' rows divide it: buffers of A's rows are made that long, since a tile reads all of its rows.
    /// </summary>
    public const int RowMultiple = 24;

    /// <summary>Columns of a panel.</summary>
    public static int Columns
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 2 * V.Width;
    }

    /// <summary>Rows of a tile.</summary>
    public static int Rows
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => GemmTile<V>.Rows;
    }

    /// <summary>
    /// C ← α·A·B + (C or nothing), of which C has only some rows and columns; A has whole tiles of rows.
    /// </summary>
    /// <param name="rows">Rows of C.</param>
    /// <param name="columns">Columns of C, at most a panel's.</param>
    /// <param name="depth">Steps.</param>
    /// <param name="a">A's first element.</param>
    /// <param name="lda">Distance of A's rows.</param>
    /// <param name="b">A panel: [depth, <see cref="Columns"/>].</param>
    /// <param name="c">C's first element.</param>
    /// <param name="ldc">Distance of C's rows.</param>
    /// <param name="alpha">α.</param>
    /// <param name="add">Whether C's elements are added.</param>
    public static void Multiply(
        int rows, int columns, int depth, float* a, long lda, float* b, float* c, long ldc, float alpha, bool add)
    {
        if (rows == 1)
        {
            Single(columns, depth, a, b, c, alpha, add);
            return;
        }

        for (var row = 0; row < rows; row += Rows, a += Rows * lda, c += Rows * ldc)
        {
            var height = Math.Min(Rows, rows - row);
            if (height == Rows && columns == Columns)
                Whole(depth, a, lda, b, c, ldc, alpha, add);
            else
                Part(height, columns, depth, a, lda, b, c, ldc, alpha, add);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Whole(int depth, float* a, long lda, float* b, float* c, long ldc, float alpha, bool add)
    {
        GemmTile<V>.Multiply(depth, a, lda, 1, b, c, ldc, alpha, add);
    }

    private static void Part(
        int rows, int columns, int depth, float* a, long lda, float* b, float* c, long ldc, float alpha, bool add)
    {
        var tile = stackalloc float[Rows * Columns];
        Whole(depth, a, lda, b, tile, Columns, alpha, add: false);
        for (var row = 0; row < rows; row++, c += ldc, tile += Columns)
        {
            for (var column = 0; column < columns; column++)
                c[column] = add ? c[column] + tile[column] : tile[column];
        }
    }

    /// <summary>One row: four steps at a time have sums of their own, so that none waits for the one before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Single(int columns, int depth, float* a, float* b, float* c, float alpha, bool add)
    {
        V c0 = default, c1 = default, d0 = default, d1 = default, e0 = default, e1 = default, f0 = default,
        f1 = default;
        var step = 0;
        for (; step + 4 <= depth; step += 4, b += 8 * V.Width)
        {
            var x = V.Broadcast(a[step]);
            c0 = V.MultiplyAdd(x, V.Load(b), c0);
            c1 = V.MultiplyAdd(x, V.Load(b + V.Width), c1);
            x = V.Broadcast(a[step + 1]);
            d0 = V.MultiplyAdd(x, V.Load(b + (2 * V.Width)), d0);
            d1 = V.MultiplyAdd(x, V.Load(b + (3 * V.Width)), d1);
            x = V.Broadcast(a[step + 2]);
            e0 = V.MultiplyAdd(x, V.Load(b + (4 * V.Width)), e0);
            e1 = V.MultiplyAdd(x, V.Load(b + (5 * V.Width)), e1);
            x = V.Broadcast(a[step + 3]);
            f0 = V.MultiplyAdd(x, V.Load(b + (6 * V.Width)), f0);
            f1 = V.MultiplyAdd(x, V.Load(b + (7 * V.Width)), f1);
        }

        for (; step < depth; step++, b += 2 * V.Width)
        {
            var x = V.Broadcast(a[step]);
            c0 = V.MultiplyAdd(x, V.Load(b), c0);
            c1 = V.MultiplyAdd(x, V.Load(b + V.Width), c1);
        }

        var tile = stackalloc float[2 * V.Width];
        var factor = V.Broadcast(alpha);
        (((c0 + d0) + (e0 + f0)) * factor).Store(tile);
        (((c1 + d1) + (e1 + f1)) * factor).Store(tile + V.Width);
        for (var column = 0; column < columns; column++)
            c[column] = add ? c[column] + tile[column] : tile[column];
    }
}
