using System.Runtime.InteropServices;
using AnTransformer.Configuration;
using AnTransformer.Kernels;
using AnTransformer.Kernels.Cpu;

namespace AnTransformer.Optimization;

/// <summary>
/// Adam's step as one pass over memory: moments, decay, update, row constraint and zeroing of the gradient happen while a row is
/// in the cache. Rows are shared among threads in blocks that depend on the shapes alone, so results do not depend on their number.
/// </summary>
internal static unsafe class FusedAdam
{
    private const long ElementsPerBlock = 1 << 15;
    private const int ColumnsPerBlock = 64;

    /// <summary>Takes the step; false, and nothing done, where the kernels do not fit.</summary>
    public static bool TryUpdate(IReadOnlyList<ParameterState> states, AdamStep step, AdamStep decayed)
    {
        if (Blocks(states) is not { } blocks)
            return false;
        Dispatch.Record(Operation.Adam, DispatchPath.Fused);
        CpuTeam.Run(blocks.Count, index =>
        {
            var block = blocks[index];
            CpuKernels.Instance.Adam(
                block.Values, block.Gradients, block.Means, block.Squares, block.Rows, block.Width, (block.IsDecayed ? decayed : step).At(block.Multiple),
                block.RowConstraint);
        });
        foreach (var state in states)
        {
            if (state is { Dimension: 0, Constraint: not RowConstraint.None } && state.HasGradient)
                ConstrainColumns(state);
        }

        return true;
    }

    /// <summary>The norm of all gradients; null where the kernels do not fit.</summary>
    public static double? TryGradientNorm(IReadOnlyList<ParameterState> states)
    {
        if (Blocks(states) is not { } blocks)
            return null;
        Dispatch.Record(Operation.GradientNorm, DispatchPath.Fused);
        var sums = new double[blocks.Count];
        CpuTeam.Run(
            blocks.Count, index => sums[index] = CpuKernels.Instance.SumOfSquares(blocks[index].Gradients, blocks[index].Rows * blocks[index].Width));
        return Math.Sqrt(sums.Sum());
    }

    private static void ConstrainColumns(ParameterState state)
    {
        var (rows, width) = (state.Parameter.shape[0], (int)state.Parameter.shape[1]);
        var values = TensorMemory.Floats(state.Parameter);
        CpuTeam.Run((width + ColumnsPerBlock - 1) / ColumnsPerBlock, block => CpuKernels.Instance.ConstrainColumns(
            values, rows, width, block * ColumnsPerBlock, Math.Min(width, (block + 1) * ColumnsPerBlock), state.Constraint));
    }

    /// <summary>Whole rows of some ten thousand elements each; null where a tensor is not plain fp32 memory.</summary>
    private static List<Block>? Blocks(IReadOnlyList<ParameterState> states)
    {
        var blocks = new List<Block>();
        foreach (var state in states)
        {
            using var gradient = state.Gradient();
            if (gradient is null)
                continue;
            if (!FusedKernels.FitCpu(state.Parameter, gradient, state.Mean, state.Square))
                return null;
            var width = state.IsDecayed ? state.Parameter.numel() / state.Parameter.shape[0] : state.Parameter.numel();
            var rows = state.Parameter.numel() / width;
            var rowsPerBlock = Math.Max(1, ElementsPerBlock / width);
            for (long first = 0; first < rows; first += rowsPerBlock)
            {
                var offset = first * width;
                blocks.Add(new Block(
                    TensorMemory.Floats(state.Parameter) + offset, TensorMemory.Floats(gradient) + offset,
                    TensorMemory.Floats(state.Mean) + offset, TensorMemory.Floats(state.Square) + offset,
                    Math.Min(rowsPerBlock, rows - first), checked((int)width), state.IsDecayed,
                    state.Dimension == 1 ? state.Constraint : RowConstraint.None, (float)state.Multiple));
            }
        }

        return blocks;
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly struct Block(
        float* values, float* gradients, float* means, float* squares, long rows, int width, bool isDecayed, RowConstraint rowConstraint,
        float multiple)
    {
        public float* Values { get; } = values;

        public float* Gradients { get; } = gradients;

        public float* Means { get; } = means;

        public float* Squares { get; } = squares;

        public long Rows { get; } = rows;

        public int Width { get; } = width;

        public bool IsDecayed { get; } = isDecayed;

        public RowConstraint RowConstraint { get; } = rowConstraint;

        public float Multiple { get; } = multiple;
    }
}
