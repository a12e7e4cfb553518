using AnTransformer.Checkpoints;
using AnTransformer.Graphs;
using AnTransformer.Inference.Weights;

namespace AnTransformer.Inference.Execution;

/// <summary>Rows of the embedding, read from the file as they are needed.</summary>
internal sealed unsafe class EmbeddingRows
{
    private readonly ScaledMatrix _matrix;
    private readonly SafetensorsDtype _dtype;
    private readonly byte* _data;

    /// <summary>The embedding of a graph.</summary>
    /// <param name="matrix">E.</param>
    /// <param name="file">The weights.</param>
    /// <param name="weights">Where they lie.</param>
    public EmbeddingRows(ScaledMatrix matrix, SafetensorsFile file, WeightLoader weights)
    {
        _matrix = matrix;
        _dtype = file[matrix.Tensor].Dtype;
        _data = weights.Mapped(matrix.Tensor);
    }

    /// <summary>A token's row.</summary>
    /// <param name="token">Its id.</param>
    /// <param name="target">Receives it, [d].</param>
    public void Read(int token, float* target)
    {
        var row = new Span<float>(target, _matrix.Columns);
        ElementConversion.ToSingle(
            _dtype, _data + ((long)token * _matrix.Columns * SafetensorsEntry.SizeOf(_dtype)), row);
        var factor = (float)(_matrix.Factor * (_matrix.RowScales?[token] ?? 1));
        if (factor == 1 && _matrix.ColumnScales is null)
            return;
        for (var i = 0; i < row.Length; i++)
            row[i] *= factor * (float)(_matrix.ColumnScales?[i] ?? 1);
    }
}
