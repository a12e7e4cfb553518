using AnTransformer.Graphs;

namespace AnTransformer.Inference.Weights;

/// <summary>
/// A matrix in the form in which it is multiplied. Its factor and row scales multiply outputs, its column scales
/// inputs; the matrix itself is as the file has it.
/// </summary>
internal sealed unsafe class PackedMatrix
{
    /// <summary>A matrix in memory that outlives it.</summary>
    /// <param name="source">What it is.</param>
    /// <param name="dtype">How it is stored.</param>
    /// <param name="data">Numbers, [rows, columns], without gaps.</param>
    /// <param name="scales">[rows, columns / 32] of Q8_0, else null.</param>
    public PackedMatrix(ScaledMatrix source, WeightDtype dtype, byte* data, ushort* scales = null)
    {
        (Rows, Columns, Dtype) = (source.Rows, source.Columns, dtype);
        Data = data;
        Scales = scales;
        Factor = (float)source.Factor;
        if (source.RowScales is { } rows)
        {
            // One factor for each row, so that both are one multiplication.
            RowFactors = NativeBuffer.Of(Array.ConvertAll(rows, value => value * source.Factor));
            Factor = 1;
        }

        if (source.ColumnScales is { } columns)
            ColumnScales = NativeBuffer.Of(columns);
    }

    public int Rows { get; }

    public int Columns { get; }

    public WeightDtype Dtype { get; }

    public byte* Data { get; }

    /// <summary>Half-precision scales, [rows, columns / 32].</summary>
    public ushort* Scales { get; }

    /// <summary>What all outputs are multiplied by.</summary>
    public float Factor { get; }

    /// <summary>What each output is multiplied by, [rows]; null for ones.</summary>
    public NativeBuffer? RowFactors { get; }

    /// <summary>What each input is multiplied by, [columns]; null for ones.</summary>
    public NativeBuffer? ColumnScales { get; }

    /// <summary>Bytes of a row, its scales included.</summary>
    public long RowBytes => BytesOfRow(Dtype, Columns);

    /// <summary>Bytes that one product reads.</summary>
    public long Bytes => Rows * RowBytes;

    /// <summary>Bytes of a row.</summary>
    /// <param name="dtype">How it is stored.</param>
    /// <param name="columns">Its length.</param>
    public static long BytesOfRow(WeightDtype dtype, int columns) => dtype switch
    {
        WeightDtype.F32 => columns * (long)sizeof(float),
        WeightDtype.BF16 => columns * (long)sizeof(ushort),
        _ => columns + (columns / BlockQuantization.Block * (long)sizeof(ushort)),
    };
}
