using System.Runtime.CompilerServices;
using AnTransformer.Kernels.Cpu;

namespace AnTransformer.Inference.Kernels;

/// <summary>
/// The innermost loop of a matrix product for processors with sixteen vector registers: six rows of two vectors are
/// twelve sums, which leaves room for two vectors of B and an element of A. <see cref="GemmTile{V}"/> is the one for
/// thirty-two.
/// </summary>
/// <typeparam name="V">The vector.</typeparam>
internal static unsafe class NarrowTile<V>
    where V : struct, ISimd<V>
{
    /// <summary>Rows of a tile.</summary>
    public const int Rows = 6;

    /// <summary>C ← α·A·B + (C or nothing) for one tile of six rows and two vectors.</summary>
    /// <param name="depth">Steps.</param>
    /// <param name="a">A's first element; elements of a row follow each other.</param>
    /// <param name="lda">Distance of A's rows.</param>
    /// <param name="b">A panel of B: [depth, two vectors].</param>
    /// <param name="c">The tile's first element.</param>
    /// <param name="ldc">Distance of C's rows.</param>
    /// <param name="alpha">α.</param>
    /// <param name="add">Whether C's elements are added.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(int depth, float* a, long lda, float* b, float* c, long ldc, float alpha, bool add)
    {
        float* a1 = a + lda, a2 = a1 + lda, a3 = a2 + lda, a4 = a3 + lda, a5 = a4 + lda;
        V c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default;
        V c30 = default, c31 = default, c40 = default, c41 = default, c50 = default, c51 = default;
        for (long step = 0; step < depth; step++, b += 2 * V.Width)
        {
            V b0 = V.Load(b), b1 = V.Load(b + V.Width);
            var x = V.Broadcast(a[step]);
            c00 = V.MultiplyAdd(x, b0, c00);
            c01 = V.MultiplyAdd(x, b1, c01);
            x = V.Broadcast(a1[step]);
            c10 = V.MultiplyAdd(x, b0, c10);
            c11 = V.MultiplyAdd(x, b1, c11);
            x = V.Broadcast(a2[step]);
            c20 = V.MultiplyAdd(x, b0, c20);
            c21 = V.MultiplyAdd(x, b1, c21);
            x = V.Broadcast(a3[step]);
            c30 = V.MultiplyAdd(x, b0, c30);
            c31 = V.MultiplyAdd(x, b1, c31);
            x = V.Broadcast(a4[step]);
            c40 = V.MultiplyAdd(x, b0, c40);
            c41 = V.MultiplyAdd(x, b1, c41);
            x = V.Broadcast(a5[step]);
            c50 = V.MultiplyAdd(x, b0, c50);
            c51 = V.MultiplyAdd(x, b1, c51);
        }

        var factor = V.Broadcast(alpha);
        Finish(c, c00, c01, factor, add);
        Finish(c + ldc, c10, c11, factor, add);
        Finish(c + (2 * ldc), c20, c21, factor, add);
        Finish(c + (3 * ldc), c30, c31, factor, add);
        Finish(c + (4 * ldc), c40, c41, factor, add);
        Finish(c + (5 * ldc), c50, c51, factor, add);
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
