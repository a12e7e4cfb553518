using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace AnTransformer.Kernels.Cpu;

/// <summary>
/// The innermost loop of a matrix product: an 8 × 32 tile of the result in sixteen AVX-512 registers, to which each step adds eight
/// broadcast elements of A times two vectors of B. Sixteen independent sums keep the multiplier busy for as long as one takes.
/// </summary>
internal static unsafe class GemmTile
{
    /// <summary>Rows of a tile.</summary>
    public const int Rows = 8;

    /// <summary>Columns of a tile: two vectors.</summary>
    public const int Columns = 32;

    /// <summary>Where a panel of A has its elements; constants, so that every load has its address in the instruction.</summary>
    internal interface ILayout
    {
        /// <summary>Distance of an element of the next row.</summary>
        static abstract int RowStep { get; }

        /// <summary>Distance of an element of the next step along the depth.</summary>
        static abstract int DepthStep { get; }
    }

    /// <summary>C ← α·A·B + (C or nothing) for one tile.</summary>
    /// <param name="depth">Steps.</param>
    /// <param name="a">A panel of A.</param>
    /// <param name="b">A panel of B: [depth, 32].</param>
    /// <param name="c">The tile's first element.</param>
    /// <param name="ldc">Distance of C's rows.</param>
    /// <param name="alpha">α.</param>
    /// <param name="add">Whether C's elements are added.</param>
    /// <typeparam name="TLayout">Layout of A's panel.</typeparam>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply<TLayout>(int depth, float* a, float* b, float* c, long ldc, float alpha, bool add)
        where TLayout : struct, ILayout
    {
        Vector512<float> c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default, c30 = default, c31 = default;
        Vector512<float> c40 = default, c41 = default, c50 = default, c51 = default, c60 = default, c61 = default, c70 = default, c71 = default;
        for (var step = 0; step < depth; step++)
        {
            var b0 = Vector512.Load(b);
            var b1 = Vector512.Load(b + 16);
            var x = Vector512.Create(a[0]);
            c00 = Vector512.FusedMultiplyAdd(x, b0, c00);
            c01 = Vector512.FusedMultiplyAdd(x, b1, c01);
            x = Vector512.Create(a[TLayout.RowStep]);
            c10 = Vector512.FusedMultiplyAdd(x, b0, c10);
            c11 = Vector512.FusedMultiplyAdd(x, b1, c11);
            x = Vector512.Create(a[2 * TLayout.RowStep]);
            c20 = Vector512.FusedMultiplyAdd(x, b0, c20);
            c21 = Vector512.FusedMultiplyAdd(x, b1, c21);
            x = Vector512.Create(a[3 * TLayout.RowStep]);
            c30 = Vector512.FusedMultiplyAdd(x, b0, c30);
            c31 = Vector512.FusedMultiplyAdd(x, b1, c31);
            x = Vector512.Create(a[4 * TLayout.RowStep]);
            c40 = Vector512.FusedMultiplyAdd(x, b0, c40);
            c41 = Vector512.FusedMultiplyAdd(x, b1, c41);
            x = Vector512.Create(a[5 * TLayout.RowStep]);
            c50 = Vector512.FusedMultiplyAdd(x, b0, c50);
            c51 = Vector512.FusedMultiplyAdd(x, b1, c51);
            x = Vector512.Create(a[6 * TLayout.RowStep]);
            c60 = Vector512.FusedMultiplyAdd(x, b0, c60);
            c61 = Vector512.FusedMultiplyAdd(x, b1, c61);
            x = Vector512.Create(a[7 * TLayout.RowStep]);
            c70 = Vector512.FusedMultiplyAdd(x, b0, c70);
            c71 = Vector512.FusedMultiplyAdd(x, b1, c71);
            a += TLayout.DepthStep;
            b += Columns;
        }

        var factor = Vector512.Create(alpha);
        Finish(c, c00, c01, factor, add);
        Finish(c + ldc, c10, c11, factor, add);
        Finish(c + (2 * ldc), c20, c21, factor, add);
        Finish(c + (3 * ldc), c30, c31, factor, add);
        Finish(c + (4 * ldc), c40, c41, factor, add);
        Finish(c + (5 * ldc), c50, c51, factor, add);
        Finish(c + (6 * ldc), c60, c61, factor, add);
        Finish(c + (7 * ldc), c70, c71, factor, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(float* c, Vector512<float> first, Vector512<float> second, Vector512<float> factor, bool add)
    {
        if (add)
        {
            Vector512.FusedMultiplyAdd(first, factor, Vector512.Load(c)).Store(c);
            Vector512.FusedMultiplyAdd(second, factor, Vector512.Load(c + 16)).Store(c + 16);
        }
        else
        {
            (first * factor).Store(c);
            (second * factor).Store(c + 16);
        }
    }
}
