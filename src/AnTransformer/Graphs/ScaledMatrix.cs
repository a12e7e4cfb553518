namespace AnTransformer.Graphs;

/// <summary>
/// A matrix as a graph uses it: <c>Factor · RowScales[i] · W[i, j] · ColumnScales[j]</c> of a tensor W that lies in a
/// file.
/// </summary>
/// <param name="Tensor">The name of W in the checkpoint, for example <c>lm_head.weight</c>.</param>
/// <param name="Rows">Output width.</param>
/// <param name="Columns">Input width.</param>
/// <param name="Factor">A constant such as ν_qkv.</param>
public sealed record ScaledMatrix(string Tensor, int Rows, int Columns, double Factor = 1)
{
    /// <summary>What each output is multiplied by besides the factor, [rows]; null for ones.</summary>
    public double[]? RowScales { get; init; }

    /// <summary>What each input is multiplied by, [columns]; null for ones.</summary>
    public double[]? ColumnScales { get; init; }

    /// <summary>Whether the matrix is W itself.</summary>
    public bool IsPlain => Factor == 1 && RowScales is null && ColumnScales is null;
}
