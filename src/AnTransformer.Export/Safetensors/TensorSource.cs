using AnTransformer.Graphs;

namespace AnTransformer.Export.Safetensors;

/// <summary>A tensor to be written: a matrix of the source, or a vector of numbers.</summary>
/// <param name="Name">Its name in the file that is written.</param>
/// <param name="Matrix">The matrix; null for a vector.</param>
/// <param name="Vector">The vector; null for a matrix.</param>
internal sealed record TensorSource(string Name, ScaledMatrix? Matrix, double[]? Vector = null)
{
    public IReadOnlyList<long> Shape => Matrix is { } matrix ? [matrix.Rows, matrix.Columns] : [Vector!.Length];
}
