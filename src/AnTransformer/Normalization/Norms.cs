using static TorchSharp.torch;

namespace AnTransformer.Normalization;

/// <summary>
/// Measured normalizations of the last dimension. Reductions run in fp32 or better whatever the input's dtype.
/// </summary>
public static class Norms
{
    /// <summary>L2(x) = x / ‖x‖ over the last dimension (a zero vector stays zero).</summary>
    /// <param name="x">Shape [..., n].</param>
    /// <returns>Shape [..., n], fp32 when <paramref name="x"/> is bf16.</returns>
    public static Tensor L2(Tensor x) => nn.functional.normalize(AtLeastSingle(x), p: 2, dim: -1, eps: 1e-12);

    /// <summary>RMS(x) = x / √(mean(x²) + ε) over the last dimension.</summary>
    /// <param name="x">Shape [..., n].</param>
    /// <param name="epsilon">ε.</param>
    /// <returns>Shape [..., n], fp32 when <paramref name="x"/> is bf16.</returns>
    public static Tensor Rms(Tensor x, double epsilon)
    {
        var wide = AtLeastSingle(x);
        return wide * wide.square().mean([-1], keepdim: true).add(epsilon).rsqrt();
    }

    private static Tensor AtLeastSingle(Tensor x)
        => x.dtype is ScalarType.BFloat16 or ScalarType.Float16 ? x.to(ScalarType.Float32) : x;
}
