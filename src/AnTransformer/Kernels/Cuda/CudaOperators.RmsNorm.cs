using static TorchSharp.torch;

namespace AnTransformer.Kernels.Cuda;

/// <content>RMSNorm with gain and the residual sum before it.</content>
internal static partial class CudaOperators
{
    /// <summary>s = h + x and n = gain ⊙ s / √(mean(s²) + ε).</summary>
    /// <param name="kernels">The device's kernels.</param>
    /// <param name="h">The residual stream, fp32 [..., d].</param>
    /// <param name="x">The block's output, T [..., d]; null where there is none yet: then s is h.</param>
    /// <param name="gain">fp32 [d].</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="dtype">T, the dtype of n.</param>
    /// <returns>
    /// s, fp32 [..., d] (<paramref name="h"/> itself where x is null); n, T [..., d]; 1/√(mean(s²) + ε), fp32 [rows].
    /// </returns>
    public static (Tensor Sum, Tensor Normalized, Tensor Reciprocal) RmsNormForward(
        CudaKernels kernels, Tensor h, Tensor? x, Tensor gain, double epsilon, ScalarType dtype)
    {
        ArgumentNullException.ThrowIfNull(kernels);
        var (rows, columns) = Matrix(h);
        Require(kernels, h, nameof(h), ScalarType.Float32, h.shape);
        Require(kernels, x, nameof(x), dtype, h.shape);
        Require(kernels, gain, nameof(gain), ScalarType.Float32, [columns]);
        var sum = x is null ? null : Single(kernels, h.shape);
        var normalized = kernels.Launcher.Empty(h.shape, dtype);
        var reciprocal = Single(kernels, rows);
        kernels.RmsNormForward(dtype, new()
        {
            H = At(h),
            X = At(x),
            Gain = At(gain),
            Sum = At(sum),
            Normalized = At(normalized),
            Reciprocal = At(reciprocal),
            Rows = rows,
            Columns = columns,
            Epsilon = (float)epsilon,
        });
        return (sum ?? h, normalized, reciprocal);
    }

    /// <summary>The gradients of <see cref="RmsNormForward"/>.</summary>
    /// <param name="kernels">The device's kernels.</param>
    /// <param name="gradient">Of n, T [..., d].</param>
    /// <param name="sumGradient">Of s from where else it is used, fp32 [..., d], or null for none.</param>
    /// <param name="sum">s.</param>
    /// <param name="gain">As in the forward pass.</param>
    /// <param name="reciprocal">From the forward pass, fp32 [rows].</param>
    /// <param name="withUpdate">Whether x was given: its gradient is that of h in T.</param>
    /// <returns>Gradients: fp32 [..., d], T [..., d] or null, fp32 [d].</returns>
    public static (Tensor H, Tensor? X, Tensor Gain) RmsNormBackward(
        CudaKernels kernels, Tensor gradient, Tensor? sumGradient, Tensor sum, Tensor gain, Tensor reciprocal,
        bool withUpdate)
    {
        ArgumentNullException.ThrowIfNull(kernels);
        var (rows, columns) = Matrix(sum);
        var dtype = Activation(kernels, gradient, nameof(gradient));
        Require(kernels, sum, nameof(sum), ScalarType.Float32, gradient.shape);
        Require(kernels, sumGradient, nameof(sumGradient), ScalarType.Float32, gradient.shape);
        Require(kernels, gain, nameof(gain), ScalarType.Float32, [columns]);
        Require(kernels, reciprocal, nameof(reciprocal), ScalarType.Float32, [rows]);
        var dh = Single(kernels, sum.shape);
        var dx = withUpdate ? kernels.Launcher.Empty(sum.shape, dtype) : null;
        var dgain = Single(kernels, columns);
        var arguments = new RmsNormBackwardArguments
        {
            Gradient = At(gradient),
            SumGradient = At(sumGradient),
            Sum = At(sum),
            Gain = At(gain),
            Reciprocal = At(reciprocal),
            DSum = At(dh),
            DX = At(dx),
            Rows = rows,
            Columns = columns,
        };
        kernels.RmsNormBackward(dtype, arguments, At(dgain));
        return (dh, dx, dgain);
    }
}
