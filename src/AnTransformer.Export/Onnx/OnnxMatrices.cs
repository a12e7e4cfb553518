using AnTransformer.Checkpoints;
using AnTransformer.Export.Safetensors;
using AnTransformer.Graphs;

namespace AnTransformer.Export.Onnx;

/// <summary>
/// The matrices of a checkpoint as constants, in single or half precision; each is read when it is written.
/// </summary>
/// <param name="matrices">Reads them.</param>
/// <param name="dtype">F32 or F16.</param>
internal sealed class OnnxMatrices(MatrixRows matrices, ExportDtype dtype)
{
    private const int NumbersAtATime = 1 << 20;

    /// <summary>W, [rows, columns].</summary>
    /// <param name="matrix">A matrix of the file.</param>
    public OnnxTensor AsIs(ScaledMatrix matrix) => new(
        matrix.Tensor, Type, [matrix.Rows, matrix.Columns], stream =>
        {
            var bytes = Array.Empty<byte>();
            matrices.ForEach(
                matrix, (_, values, rows) => Put(stream, matrix, values.AsSpan(0, rows * matrix.Columns), ref bytes));
        });

    /// <summary>Wᵀ, [columns, rows]: what MatMul multiplies rows of inputs with.</summary>
    /// <param name="matrix">A matrix of the file.</param>
    public OnnxTensor Transposed(ScaledMatrix matrix) => new(
        matrix.Tensor, Type, [matrix.Columns, matrix.Rows], stream =>
        {
            var width = Math.Clamp(NumbersAtATime / matrix.Rows, 8, matrix.Columns);
            var (slice, block, bytes) = (new double[width], new double[width * matrix.Rows], Array.Empty<byte>());
            for (var first = 0; first < matrix.Columns; first += width)
            {
                var count = Math.Min(width, matrix.Columns - first);
                for (var row = 0; row < matrix.Rows; row++)
                {
                    matrices.ReadPart(matrix, row, first, slice.AsSpan(0, count));
                    for (var j = 0; j < count; j++)
                        block[(j * matrix.Rows) + row] = slice[j];
                }

                Put(stream, matrix, block.AsSpan(0, count * matrix.Rows), ref bytes);
            }
        });

    private OnnxType Type => dtype == ExportDtype.F16 ? OnnxType.Float16 : OnnxType.Float;

    private void Put(Stream stream, ScaledMatrix matrix, ReadOnlySpan<double> values, ref byte[] bytes)
    {
        var size = SafetensorsEntry.SizeOf(dtype.ToSafetensors());
        if (bytes.Length < size * values.Length)
            bytes = new byte[size * values.Length];
        var piece = bytes.AsSpan(0, size * values.Length);
        ElementWriter.Convert(dtype, values, piece, matrix.Tensor);
        stream.Write(piece);
    }
}
