using AnTransformer.Configuration;
using AnTransformer.Kernels;
using static TorchSharp.torch;

namespace AnTransformer.Operators;

/// <summary>
/// Rotary positions in the half-split ("rotate-half") layout: channel i turns with channel i + d_h/2.
/// </summary>
public sealed unsafe class RotaryEmbedding : IDisposable
{
    private readonly Tensor _cos;
    private readonly Tensor _sin;

    /// <summary>Tabulates the angles of all positions of a model's context.</summary>
    /// <param name="config">Context, head size and base.</param>
    /// <param name="context">Dtypes and device.</param>
    public RotaryEmbedding(ModelConfig config, ModelContext context)
    {
        using var scope = NewDisposeScope();
        Length = config.MaxPositionEmbeddings;
        var half = config.HeadSize / 2;
        var frequencies = pow(config.RopeTheta, arange(half, dtype: float64) / -(double)half);
        var angles = outer(arange(config.MaxPositionEmbeddings, dtype: float64), frequencies);
        _cos = angles.cos().to(context.MasterDtype).to(context.Device).DetachFromDisposeScope();
        _sin = angles.sin().to(context.MasterDtype).to(context.Device).DetachFromDisposeScope();
    }

    /// <summary>Number of positions.</summary>
    internal long Length { get; }

    /// <summary>Cosines in CPU memory, [T, d_h/2]; for fused kernels.</summary>
    internal float* CosPointer => TensorMemory.Floats(_cos);

    /// <summary>Sines in CPU memory, [T, d_h/2]; for fused kernels.</summary>
    internal float* SinPointer => TensorMemory.Floats(_sin);

    /// <summary>Cosines, [T, d_h/2].</summary>
    internal Tensor Cosines => _cos;

    /// <summary>Sines, [T, d_h/2].</summary>
    internal Tensor Sines => _sin;

    /// <summary>Turns queries or keys by their positions.</summary>
    /// <param name="x">Shape [B, H, T, d_h].</param>
    /// <param name="start">Position of the first of the T tokens.</param>
    /// <returns>Shape [B, H, T, d_h], in fp32 or better.</returns>
    public Tensor Rotate(Tensor x, long start)
    {
        using var scope = NewDisposeScope();
        var cos = _cos.narrow(0, start, x.shape[2]);
        var sin = _sin.narrow(0, start, x.shape[2]);
        var halves = x.chunk(2, -1);
        var (first, second) = (halves[0], halves[1]);
        return cat([(first * cos) - (second * sin), (second * cos) + (first * sin)], -1).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _cos.Dispose();
        _sin.Dispose();
    }
}
