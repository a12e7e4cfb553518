using AnTransformer.Configuration;
using AnTransformer.Graphs;
using AnTransformer.Kernels;
using AnTransformer.Kernels.Cpu;

namespace AnTransformer.Inference.Execution;

/// <summary>Normalizes and rotates one head's query or key; the softmax's scale is the query's factor.</summary>
internal sealed unsafe class QueryKeyKernel : IDisposable
{
    private readonly AttentionShape _shape;
    private readonly QueryKeyNorm _norm;
    private readonly float _epsilon;
    private readonly float _softmaxScale;
    private readonly NativeBuffer? _queryScale;
    private readonly NativeBuffer? _keyScale;
    private readonly bool _isPerHead;

    /// <summary>The kernel that a graph names.</summary>
    /// <param name="attention">Of a block.</param>
    /// <param name="shape">Heads and their size.</param>
    public QueryKeyKernel(AttentionGraph attention, AttentionShape shape)
    {
        _shape = shape;
        _softmaxScale = (float)attention.SoftmaxScale;
        switch (attention.QueryKey)
        {
            case RotaryOnly:
                _norm = QueryKeyNorm.None;
                break;
            case RmsQueryKey rms:
                _norm = QueryKeyNorm.Rms;
                _epsilon = (float)rms.Epsilon;
                (_queryScale, _keyScale) = (NativeBuffer.Of(rms.QueryGain), NativeBuffer.Of(rms.KeyGain));
                break;
            case UnitQueryKey unit:
                _norm = unit.Normalize ? QueryKeyNorm.L2 : QueryKeyNorm.None;
                _isPerHead = true;
                if (unit.Scales is { } scales)
                    _queryScale = _keyScale = NativeBuffer.Of(scales);
                break;
            case var other:
                throw new NotSupportedException(
                    $"The function {other.GetType().Name} of queries and keys has no kernel.");
        }
    }

    /// <summary>A query.</summary>
    /// <param name="x">[d_h].</param>
    /// <param name="head">Of the H heads.</param>
    /// <param name="cos">Of its position.</param>
    /// <param name="sin">Of its position.</param>
    /// <param name="y">[d_h].</param>
    public void Query(float* x, int head, float* cos, float* sin, float* y)
        => Turn(x, _queryScale, head / _shape.GroupSize, cos, sin, y, _softmaxScale);

    /// <summary>A key.</summary>
    /// <param name="x">[d_h].</param>
    /// <param name="head">Of the K heads.</param>
    /// <param name="cos">Of its position.</param>
    /// <param name="sin">Of its position.</param>
    /// <param name="y">[d_h].</param>
    public void Key(float* x, int head, float* cos, float* sin, float* y) => Turn(x, _keyScale, head, cos, sin, y, 1);

    /// <inheritdoc/>
    public void Dispose()
    {
        _queryScale?.Dispose();
        _keyScale?.Dispose();
    }

    private void Turn(float* x, NativeBuffer? scales, int head, float* cos, float* sin, float* y, float factor)
    {
        var size = _shape.HeadSize;
        var scale = scales is null ? null : scales.Floats + (_isPerHead ? (long)head * size : 0);
        CpuKernels.Instance.Rotate(x, size, _norm, scale, cos, sin, y, 1, size, factor, _epsilon);
    }
}
