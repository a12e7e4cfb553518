using AnTransformer.Inference.Weights;
using AnTransformer.Kernels.Cpu;

namespace AnTransformer.Inference.Kernels;

/// <summary>
/// Y = f ⊙ (W x) for a part of a matrix's rows: inner products for a few tokens, and for many a blocked product for
/// which the part is widened and packed once. Runs on one thread; callers share rows.
/// </summary>
/// <typeparam name="V">The vector.</typeparam>
internal static unsafe class MatrixProducts<V>
    where V : struct, ISimd<V>
{
    /// <summary>Up to so many tokens are multiplied row by row: packing would cost more than it gains.</summary>
    public const int FewTokens = 16;

    private const int Depth = 256;              // of a panel, which stays in the first-level cache
    private const int RowsWidened = RowProducts<V, Q8Rows>.Rows;

    /// <summary>Floats of scratch that a thread needs.</summary>
    /// <param name="columns">The longest row of any matrix.</param>
    public static long Scratch(int columns) => (2L * Depth * Tiles<V>.Columns) + ((long)RowsWidened * columns);

    /// <summary>Outputs of some rows.</summary>
    /// <param name="w">The matrix.</param>
    /// <param name="row">The first row.</param>
    /// <param name="rows">How many; at most a panel's columns for many tokens.</param>
    /// <param name="x">[tokens, columns]; for many tokens whole tiles of rows can be read.</param>
    /// <param name="ldx">Distance of x's rows.</param>
    /// <param name="tokens">Number of tokens.</param>
    /// <param name="y">[tokens, rows].</param>
    /// <param name="ldy">Distance of y's rows.</param>
    /// <param name="scratch">As much as <see cref="Scratch"/> says.</param>
    public static void Multiply(
        PackedMatrix w, int row, int rows, float* x, long ldx, int tokens, float* y, long ldy, float* scratch)
    {
        var factor = w.Factor;
        if (tokens > FewTokens)
        {
            Blocked(w, row, rows, x, ldx, tokens, y, ldy, scratch);
            factor = 1;
        }
        else
        {
            ByRows(w, row, rows, x, ldx, tokens, y, ldy, scratch);
        }

        for (var token = 0; token < tokens && (factor != 1 || w.RowFactors is not null); token++, y += ldy)
        {
            if (w.RowFactors is { } factors)
                CpuKernels.Instance.ScaleChannels(y, factors.Floats + row, y, 1, rows);
            else
                CpuKernels.Instance.Multiply(y, factor, rows);
        }
    }

    private static void ByRows(
        PackedMatrix w, int row, int rows, float* x, long ldx, int tokens, float* y, long ldy, float* scratch)
    {
        var columns = w.Columns;
        var at = (long)row * columns;
        switch (w.Dtype)
        {
            case WeightDtype.F32:
                RowProducts<V, F32Rows>.Multiply(
                    w.Data + (at * sizeof(float)), null, rows, columns, x, ldx, tokens, y, ldy);
                return;
            case WeightDtype.BF16:
                RowProducts<V, BF16Rows>.Multiply(
                    w.Data + (at * sizeof(ushort)), null, rows, columns, x, ldx, tokens, y, ldy);
                return;
        }

        var quants = (sbyte*)w.Data + at;
        var scales = w.Scales + (at / BlockQuantization.Block);
        if (tokens == 1)
        {
            QuantizedProducts<V>.Multiply(quants, scales, rows, columns, x, y);
            return;
        }

        // Several tokens share the work of widening scales.
        var blocks = columns / BlockQuantization.Block;
        for (var first = 0; first < rows; first += RowsWidened, scales += RowsWidened * blocks)
        {
            var count = Math.Min(RowsWidened, rows - first);
            BlockQuantization.Widen(scales, scratch, count * blocks);
            RowProducts<V, Q8Rows>.Multiply(
                (byte*)quants + ((long)first * columns), scratch, count, columns, x, ldx, tokens, y + first, ldy);
        }
    }

    private static void Blocked(
        PackedMatrix w, int row, int rows, float* x, long ldx, int tokens, float* y, long ldy, float* scratch)
    {
        var panel = scratch;
        var widened = scratch + (Depth * Tiles<V>.Columns);
        for (var start = 0; start < w.Columns; start += Depth)
        {
            var depth = Math.Min(Depth, w.Columns - start);
            var at = ((long)row * w.Columns) + start;
            if (w.Dtype == WeightDtype.F32)
            {
                GemmPanel<V>.PackTransposed((float*)w.Data + at, w.Columns, rows, depth, panel);
            }
            else
            {
                for (var i = 0; i < rows; i++)
                    Widen(w, at + ((long)i * w.Columns), widened + (i * depth), depth);
                GemmPanel<V>.PackTransposed(widened, depth, rows, depth, panel);
            }

            if (w.ColumnScales is { } scales)
                ScaleSteps(panel, scales.Floats + start, depth);
            Tiles<V>.Multiply(tokens, rows, depth, x + start, ldx, panel, y, ldy, w.Factor, add: start > 0);
        }
    }

    private static void ScaleSteps(float* panel, float* scales, int depth)
    {
        for (var step = 0; step < depth; step++, panel += Tiles<V>.Columns)
        {
            var scale = V.Broadcast(scales[step]);
            (V.Load(panel) * scale).Store(panel);
            (V.Load(panel + V.Width) * scale).Store(panel + V.Width);
        }
    }

    private static void Widen(PackedMatrix w, long at, float* target, int count)
    {
        if (w.Dtype == WeightDtype.Q8)
        {
            BlockQuantization.Dequantize<V>(
                (sbyte*)w.Data + at, w.Scales + (at / BlockQuantization.Block), target, count);
            return;
        }

        var source = w.Data + (at * sizeof(ushort));
        var i = 0;
        for (; i + V.Width <= count; i += V.Width)
            BF16Rows.Load<V>(source, null, i).Store(target + i);
        for (; i < count; i++)
            BF16Rows.Load<SimdScalar>(source, null, i).Store(target + i);
    }
}
