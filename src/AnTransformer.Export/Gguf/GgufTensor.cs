using AnTransformer.Graphs;

namespace AnTransformer.Export.Gguf;

/// <summary>The element types of GGUF that are written here, by their numbers (ggml.h, <c>ggml_type</c>).</summary>
internal enum GgufType
{
    F32 = 0,
    F16 = 1,
    Q8 = 8,
    BF16 = 30,
}

/// <summary>A tensor to be written: a matrix of the checkpoint, or a vector.</summary>
/// <param name="Name">Its name, for example <c>blk.0.attn_q.weight</c>.</param>
/// <param name="Matrix">The matrix; null for a vector.</param>
/// <param name="Vector">The vector; null for a matrix.</param>
internal sealed record GgufTensor(string Name, ScaledMatrix? Matrix, double[]? Vector = null)
{
    /// <summary>Which row of the matrix stands at a place; null for their own order.</summary>
    public Func<int, int>? RowAt { get; init; }

    /// <summary>The dimensions in GGUF's order: the fastest first.</summary>
    public IReadOnlyList<long> Dimensions => Matrix is { } matrix ? [matrix.Columns, matrix.Rows] : [Vector!.Length];
}
