using System.Runtime.InteropServices;

namespace AnTransformer.Kernels.Cuda;

/// <summary>How many blocks of how many threads run a kernel.</summary>
/// <param name="X">Blocks in x.</param>
/// <param name="Y">Blocks in y, at most 65 535.</param>
/// <param name="Block">Threads of a block, a multiple of 32 up to 512.</param>
/// <param name="SharedBytes">Dynamic shared memory of a block.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct LaunchShape(int X, int Y, int Block, int SharedBytes = 0)
{
    private const int WarpSize = 32;
    private const int LargestBlock = 256;
    private const int LargestY = 65_535;

    /// <summary>
    /// A thread per 4 (wide) or 1 columns that walks down the rows; together about as many threads as run at once.
    /// </summary>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="wide">Whether a thread takes 4 columns.</param>
    /// <param name="threads">Threads wanted.</param>
    public static LaunchShape Columns(long rows, int columns, bool wide, int threads)
    {
        var block = RowBlock(columns, wide);
        var x = DivideUp(DivideUp(columns, wide ? 4 : 1), block);
        return new((int)x, (int)Math.Clamp(threads / (block * x), 1, Math.Min(rows, LargestY)), block);
    }

    /// <summary>
    /// A block per row, which goes on with other rows; together about as many threads as run at once.
    /// </summary>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="wide">Whether a thread takes 4 columns at a time.</param>
    /// <param name="threads">Threads wanted.</param>
    public static LaunchShape Rows(long rows, int columns, bool wide, int threads)
    {
        var block = RowBlock(columns, wide);
        return new((int)Math.Clamp(threads / block, 1, Math.Min(rows, int.MaxValue)), 1, block);
    }

    /// <summary>Rounds a quotient up.</summary>
    /// <param name="value">Not negative.</param>
    /// <param name="divisor">Positive.</param>
    public static long DivideUp(long value, long divisor) => (value + divisor - 1) / divisor;

    private static int RowBlock(int columns, bool wide)
        => (int)Math.Min(LargestBlock, DivideUp(DivideUp(columns, wide ? 4 : 1), WarpSize) * WarpSize);
}
