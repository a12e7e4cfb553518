using AnTransformer.Checkpoints;
using AnTransformer.Graphs;

namespace AnTransformer.Export;

/// <summary>
/// A <see cref="ScaledMatrix"/> as numbers: a few rows at a time, computed in double precision, so that no matrix is in
/// memory whole.
/// </summary>
/// <param name="weights">The file that holds the tensors.</param>
/// <param name="stop">Ends <see cref="ForEach"/>.</param>
public sealed class MatrixRows(SafetensorsFile weights, CancellationToken stop = default)
{
    private const int NumbersAtATime = 1 << 18;

    /// <summary>Goes through a matrix from its first row to its last.</summary>
    /// <param name="matrix">A matrix of the file.</param>
    /// <param name="visit">
    /// Gets the first row's number and whole rows, row-major; they are valid during the call only.
    /// </param>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public void ForEach(ScaledMatrix matrix, Action<int, double[], int> visit)
    {
        var rowsAtATime = Math.Max(1, NumbersAtATime / matrix.Columns);
        var buffer = new double[(long)Math.Min(rowsAtATime, matrix.Rows) * matrix.Columns];
        for (var row = 0; row < matrix.Rows; row += rowsAtATime)
        {
            stop.ThrowIfCancellationRequested();
            var rows = Math.Min(rowsAtATime, matrix.Rows - row);
            Read(matrix, row, buffer.AsSpan(0, rows * matrix.Columns));
            visit(row, buffer, rows);
        }
    }

    /// <summary>Reads rows: <c>Factor · RowScales[i] · W[i, j] · ColumnScales[j]</c>.</summary>
    /// <param name="matrix">A matrix of the file.</param>
    /// <param name="row">The first row.</param>
    /// <param name="destination">Whole rows, row-major.</param>
    public void Read(ScaledMatrix matrix, int row, Span<double> destination)
    {
        weights.CopyTo(matrix.Tensor, (long)row * matrix.Columns, destination);
        if (matrix.IsPlain)
            return;
        for (var i = 0; i < destination.Length / matrix.Columns; i++)
        {
            var values = destination.Slice(i * matrix.Columns, matrix.Columns);
            var factor = matrix.Factor * (matrix.RowScales?[row + i] ?? 1);
            for (var j = 0; j < values.Length; j++)
                values[j] *= factor;
            for (var j = 0; matrix.ColumnScales is { } scales && j < values.Length; j++)
                values[j] *= scales[j];
        }
    }

    /// <summary>Reads a part of a row.</summary>
    /// <param name="matrix">A matrix of the file.</param>
    /// <param name="row">The row.</param>
    /// <param name="column">The first column.</param>
    /// <param name="destination">Room for the columns from there on that are wanted.</param>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    internal void ReadPart(ScaledMatrix matrix, int row, int column, Span<double> destination)
    {
        stop.ThrowIfCancellationRequested();
        weights.CopyTo(matrix.Tensor, ((long)row * matrix.Columns) + column, destination);
        if (matrix.IsPlain)
            return;
        var factor = matrix.Factor * (matrix.RowScales?[row] ?? 1);
        for (var j = 0; j < destination.Length; j++)
            destination[j] *= factor * (matrix.ColumnScales?[column + j] ?? 1);
    }
}
