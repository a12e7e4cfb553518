using System.Runtime.CompilerServices;
using AnTransformer.Inference.Weights;
using AnTransformer.Kernels.Cpu;

namespace AnTransformer.Inference.Kernels;

/// <summary>
/// Inner products of quantized rows with one token's activations, which stay in single precision: numbers are widened
/// in registers, which keeps up with memory, and no rounding of activations is added to that of weights.
/// </summary>
/// <typeparam name="V">The vector.</typeparam>
internal static unsafe class QuantizedProducts<V>
    where V : struct, ISimd<V>
{
    private const int BlocksAtOnce = 16;

    /// <summary>y[r] = Σ s[r, i / 32] q[r, i] x[i].</summary>
    /// <param name="quants">[rows, columns].</param>
    /// <param name="scales">[rows, columns / 32].</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Their length, whole blocks.</param>
    /// <param name="x">[columns].</param>
    /// <param name="y">[rows].</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(sbyte* quants, ushort* scales, int rows, int columns, float* x, float* y)
    {
        var blocks = columns / BlockQuantization.Block;
        var factors = stackalloc float[BlocksAtOnce];
        for (var row = 0; row < rows; row++, scales += blocks)
        {
            V even = default, odd = default;
            var input = x;
            for (var first = 0; first < blocks; first += BlocksAtOnce)
            {
                var count = Math.Min(BlocksAtOnce, blocks - first);
                BlockQuantization.Widen(scales + first, factors, count);
                for (var block = 0; block < count; block++)
                {
                    var part = QuantizedVector.Load<V>(quants) * V.Load(input);
                    for (var i = V.Width; i < BlockQuantization.Block; i += V.Width)
                        part = V.MultiplyAdd(QuantizedVector.Load<V>(quants + i), V.Load(input + i), part);
                    // Two sums in turn, so that a block need not wait for the one before.
                    (even, odd) = (odd, V.MultiplyAdd(part, V.Broadcast(factors[block]), even));
                    quants += BlockQuantization.Block;
                    input += BlockQuantization.Block;
                }
            }

            y[row] = (even + odd).Sum();
        }
    }
}
