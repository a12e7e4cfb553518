using System.Runtime.InteropServices;
using AnTransformer.Configuration;
using AnTransformer.Kernels;
using AnTransformer.Kernels.Cpu;

namespace AnTransformer.Optimization;

/// <summary>
/// Parameters cut into blocks of whole rows, which threads share: a step's kernels pass over memory once, constraint
/// and zeroing of the gradient included, while a row is in the cache. Blocks depend on the shapes alone, so results do
/// not depend on the number of threads.
/// </summary>
internal static unsafe class RowBlocks
{
    private const long ElementsPerBlock = 1 << 15;
    private const int ColumnsPerBlock = 64;

    /// <summary>
    /// Some ten thousand elements each, of parameters with a gradient; null where a tensor is not plain fp32 memory.
    /// </summary>
    /// <param name="states">The parameters.</param>
    public static List<RowBlock>? Of(IReadOnlyList<ParameterState> states)
    {
        var blocks = new List<RowBlock>();
        foreach (var state in states)
        {
            using var gradient = state.Gradient();
            if (gradient is null)
                continue;
            if (!FusedKernels.FitCpu(state.Parameter, gradient) || !FusedKernels.FitCpu(state.Tensors))
                return null;
            var memory = new RowMemory(
                state, TensorMemory.Floats(state.Parameter), TensorMemory.Floats(gradient),
                Array.ConvertAll(state.Tensors, TensorMemory.Address));
            var rows = state.Parameter.numel() / memory.Width;
            var rowsPerBlock = RowsPerBlock(memory.Width);
            for (long first = 0; first < rows; first += rowsPerBlock)
                blocks.Add(new RowBlock(memory, first, Math.Min(rowsPerBlock, rows - first)));
        }

        return blocks;
    }

    /// <summary>Rows of a block.</summary>
    /// <param name="width">Elements of a row.</param>
    public static long RowsPerBlock(long width) => Math.Max(1, ElementsPerBlock / width);

    /// <summary>Blocks that rows are cut into.</summary>
    /// <param name="rows">How many rows.</param>
    /// <param name="width">Elements of a row.</param>
    public static long Count(long rows, long width) => (rows + RowsPerBlock(width) - 1) / RowsPerBlock(width);

    /// <summary>Applies the constraints that hold for columns.</summary>
    /// <param name="states">Parameters that <see cref="Of"/> fits.</param>
    public static void ConstrainColumns(IReadOnlyList<ParameterState> states)
    {
        foreach (var state in states)
        {
            if (state is not { Dimension: 0, Constraint: not RowConstraint.None } || !state.HasGradient)
                continue;
            var (rows, width) = (state.Parameter.shape[0], (int)state.Parameter.shape[1]);
            var values = TensorMemory.Floats(state.Parameter);
            CpuTeam.Run((width + ColumnsPerBlock - 1) / ColumnsPerBlock, block => CpuKernels.Instance.ConstrainColumns(
                values, rows, width, block * ColumnsPerBlock, Math.Min(width, (block + 1) * ColumnsPerBlock),
                state.Constraint));
        }
    }
}

/// <summary>Where a parameter, its gradient and its state lie.</summary>
internal sealed unsafe class RowMemory(ParameterState state, float* values, float* gradients, nint[] tensors)
{
    public ParameterState State { get; } = state;

    public float* Values { get; } = values;

    public float* Gradients { get; } = gradients;

    public nint[] Tensors { get; } = tensors;

    /// <summary>Elements of a row; a vector is one row.</summary>
    public int Width { get; } = checked((int)(
        state.IsDecayed ? state.Parameter.numel() / state.Parameter.shape[0] : state.Parameter.numel()));
}

/// <summary>Some rows of a parameter.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly unsafe struct RowBlock(RowMemory memory, long first, long rows)
{
    /// <summary>The parameter they belong to.</summary>
    public ParameterState State => memory.State;

    /// <summary>Index of the first of them.</summary>
    public long First { get; } = first;

    /// <summary>How many.</summary>
    public long Rows { get; } = rows;

    /// <summary>Elements of a row.</summary>
    public int Width => memory.Width;

    /// <summary>Elements of all of them.</summary>
    public long Count => Rows * Width;

    /// <summary>Their values.</summary>
    public float* Values => memory.Values + (First * Width);

    /// <summary>Their gradients.</summary>
    public float* Gradients => memory.Gradients + (First * Width);

    /// <summary>
    /// Their part of the rule's state number <paramref name="index"/>, which is shaped as the parameter.
    /// </summary>
    public float* Tensor(int index) => (float*)memory.Tensors[index] + (First * Width);
}
