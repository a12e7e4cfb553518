using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using AnTransformer.Inference.Weights;
using AnTransformer.Kernels.Cpu;

namespace AnTransformer.Inference.Kernels;

/// <summary>
/// Inner products of quantized rows with one token's activations, which stay in single precision: numbers are widened in registers,
/// which keeps up with memory, and no rounding of activations is added to that of weights.
/// </summary>
/// <typeparam name="V">The vector.</typeparam>
internal static unsafe class QuantizedProducts<V>
    where V : struct, ISimd<V>
{
    private const int BlocksAtOnce = 16;
    private const int PrefetchDistance = 2048;

    /// <summary>y[r] = Σ s[r, i / 32] q[r, i] x[i].</summary>
    /// <param name="quants">[rows, columns].</param>
    /// <param name="scales">[rows, columns / 32].</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Their length, whole blocks.</param>
    /// <param name="x">[columns].</param>
    /// <param name="y">[rows].</param>
    public static void Multiply(sbyte* quants, ushort* scales, int rows, int columns, float* x, float* y)
    {
        var blocks = columns / BlockQuantization.Block;
        var row = 0;
        for (; row + 2 <= rows; row += 2, quants += 2L * columns, scales += 2 * blocks, y += 2)
            Two(quants, scales, columns, x, y);
        if (row < rows)
        {
            var pair = stackalloc float[1];
            One(quants, scales, columns, x, pair);
            *y = *pair;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Two(sbyte* q0, ushort* scales, int columns, float* x, float* y)
    {
        var blocks = columns / BlockQuantization.Block;
        var q1 = q0 + columns;
        var s0 = stackalloc float[BlocksAtOnce];
        var s1 = stackalloc float[BlocksAtOnce];
        V a0 = default, a1 = default, b0 = default, b1 = default;
        for (var first = 0; first < blocks; first += BlocksAtOnce)
        {
            var count = Math.Min(BlocksAtOnce, blocks - first);
            BlockQuantization.Widen(scales + first, s0, count);
            BlockQuantization.Widen(scales + blocks + first, s1, count);
            for (var block = 0; block < count; block++)
            {
                if (Sse.IsSupported)
                {
                    Sse.Prefetch0(q0 + PrefetchDistance);
                    Sse.Prefetch0(q1 + PrefetchDistance);
                }

                V v0 = V.Load(x), v1 = V.Load(x + V.Width);
                var t0 = QuantizedVector.Load<V>(q0) * v0;
                var t1 = QuantizedVector.Load<V>(q1) * v0;
                t0 = V.MultiplyAdd(QuantizedVector.Load<V>(q0 + V.Width), v1, t0);
                t1 = V.MultiplyAdd(QuantizedVector.Load<V>(q1 + V.Width), v1, t1);
                for (var i = 2 * V.Width; i < BlockQuantization.Block; i += V.Width)
                {
                    v0 = V.Load(x + i);
                    t0 = V.MultiplyAdd(QuantizedVector.Load<V>(q0 + i), v0, t0);
                    t1 = V.MultiplyAdd(QuantizedVector.Load<V>(q1 + i), v0, t1);
                }

                // Even and odd blocks have sums of their own, so that one need not wait for the other.
                (a0, b0) = (V.MultiplyAdd(t0, V.Broadcast(s0[block]), b0), a0);
                (a1, b1) = (V.MultiplyAdd(t1, V.Broadcast(s1[block]), b1), a1);
                q0 += BlockQuantization.Block;
                q1 += BlockQuantization.Block;
                x += BlockQuantization.Block;
            }
        }

        y[0] = (a0 + b0).Sum();
        y[1] = (a1 + b1).Sum();
    }

    private static void One(sbyte* q, ushort* scales, int columns, float* x, float* y)
    {
        V sum = default;
        float scale;
        for (var start = 0; start < columns; start += BlockQuantization.Block)
        {
            V part = default;
            for (var i = start; i < start + BlockQuantization.Block; i += V.Width)
                part = V.MultiplyAdd(QuantizedVector.Load<V>(q + i), V.Load(x + i), part);
            BlockQuantization.Widen(scales++, &scale, 1);
            sum = V.MultiplyAdd(part, V.Broadcast(scale), sum);
        }

        *y = sum.Sum();
    }
}
