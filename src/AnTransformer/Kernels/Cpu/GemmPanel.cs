using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace AnTransformer.Kernels.Cpu;

/// <summary>
/// Panels of a product's second factor as <see cref="GemmTile{V}"/> reads them: a tile's columns, step by step along
/// the depth.
/// </summary>
/// <typeparam name="V">The vector.</typeparam>
internal static unsafe class GemmPanel<V>
    where V : struct, ISimd<V>
{
    private static int Columns
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => GemmTile<V>.Columns;
    }

    /// <summary>Up to a panel's columns of a row-major matrix; missing ones become 0.</summary>
    /// <param name="matrix">First element.</param>
    /// <param name="stride">Distance of rows.</param>
    /// <param name="columns">Number of columns.</param>
    /// <param name="depth">Number of rows.</param>
    /// <param name="panel">Receives [depth, columns of a tile].</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pack(float* matrix, long stride, int columns, int depth, float* panel)
    {
        if (columns == Columns)
        {
            for (var step = 0; step < depth; step++, matrix += stride, panel += Columns)
            {
                V.Load(matrix).Store(panel);
                V.Load(matrix + V.Width).Store(panel + V.Width);
            }

            return;
        }

        new Span<float>(panel, depth * Columns).Clear();
        for (var step = 0; step < depth; step++, matrix += stride, panel += Columns)
            new ReadOnlySpan<float>(matrix, columns).CopyTo(new Span<float>(panel, columns));
    }

    /// <summary>
    /// As many rows of a row-major matrix as a panel has columns, or fewer, as columns; missing ones become 0.
    /// </summary>
    /// <param name="rows">First element.</param>
    /// <param name="stride">Distance of rows.</param>
    /// <param name="count">Number of rows.</param>
    /// <param name="depth">Number of columns.</param>
    /// <param name="panel">Receives [depth, columns of a tile].</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void PackTransposed(float* rows, long stride, int count, int depth, float* panel)
    {
        if (count < Columns)
            new Span<float>(panel, depth * Columns).Clear();
        const int side = 8;
        var (wholeRows, wholeDepth) = Avx.IsSupported ? (count / side * side, depth / side * side) : (0, 0);
        for (var row = 0; row < wholeRows; row += side)
        {
            for (var step = 0; step < wholeDepth; step += side)
                Transpose(rows + (row * stride) + step, stride, panel + (step * Columns) + row);
        }

        for (var row = 0; row < count; row++)
        {
            for (var step = row < wholeRows ? wholeDepth : 0; step < depth; step++)
                panel[(step * Columns) + row] = rows[(row * stride) + step];
        }
    }

    private static void Transpose(float* source, long stride, float* target)
    {
        var (r0, r1, r2, r3) = Quarter(source, stride);
        var (r4, r5, r6, r7) = Quarter(source + (4 * stride), stride);
        Join(r0, r4, target, 0);
        Join(r1, r5, target, 1);
        Join(r2, r6, target, 2);
        Join(r3, r7, target, 3);

        // Four rows of eight: in each half, element (i, j) moves to (j, i).
        static (Vector256<float>, Vector256<float>, Vector256<float>, Vector256<float>) Quarter(
            float* source, long stride)
        {
            var (a, b) = (Vector256.Load(source), Vector256.Load(source + stride));
            var (c, d) = (Vector256.Load(source + (2 * stride)), Vector256.Load(source + (3 * stride)));
            var (low, high) = (Avx.UnpackLow(a, b), Avx.UnpackHigh(a, b));
            var (low2, high2) = (Avx.UnpackLow(c, d), Avx.UnpackHigh(c, d));
            return (Avx.Shuffle(low, low2, 0x44), Avx.Shuffle(low, low2, 0xEE), Avx.Shuffle(high, high2, 0x44),
                Avx.Shuffle(high, high2, 0xEE));
        }

        static void Join(Vector256<float> first, Vector256<float> second, float* target, int row)
        {
            Avx.Permute2x128(first, second, 0x20).Store(target + (row * Columns));
            Avx.Permute2x128(first, second, 0x31).Store(target + ((row + 4) * Columns));
        }
    }
}
