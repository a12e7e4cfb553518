using AnTransformer.Kernels.Cuda;
using static TorchSharp.torch;

namespace AnTransformer.Operators.Cuda;

/// <summary>
/// A linear map's input on a CUDA device: the tensor in the compute dtype, or the function of it by its kernel.
/// </summary>
/// <param name="kernels">The device's kernels.</param>
/// <param name="input">The input.</param>
/// <param name="dtype">T, the compute dtype.</param>
internal sealed class CudaInput(CudaKernels kernels, LinearInput input, ScalarType dtype)
{
    /// <summary>
    /// Whether the result is computed again in a backward pass, where it is large and cheap, rather than kept.
    /// </summary>
    public bool IsComputedAgain => input is GatedInput;

    /// <summary>Whether a backward pass needs the source itself.</summary>
    public bool NeedsSource => !input.IsIdentity;

    /// <summary>Whether the kernels can take it.</summary>
    public static bool Fits(CudaKernels kernels, LinearInput input, ScalarType dtype)
    {
        var source = input.Source;
        if (dtype is not (ScalarType.Float32 or ScalarType.BFloat16) || !kernels.Launcher.Holds(source)
            || source.numel() == 0)
            return false;
        return input switch
        {
            NormalizedInput => source.dtype == ScalarType.Float32 && source.is_contiguous(),
            GatedInput => source.dtype == dtype && source.is_contiguous(),
            _ => input.IsIdentity && source.dtype is ScalarType.Float32 or ScalarType.BFloat16,
        };
    }

    /// <summary>The function of rows of the source.</summary>
    /// <param name="source">[rows, source width].</param>
    /// <returns>T [rows, width], and for RMSNorm 1/√(mean(x²) + ε), [rows].</returns>
    public (Tensor Result, Tensor? Reciprocal) Forward(Tensor source)
    {
        switch (input)
        {
            case NormalizedInput normalized:
                var (_, result, reciprocal) = CudaOperators.RmsNormForward(
                    kernels, source, x: null, normalized.Gain.detach(), normalized.Epsilon, dtype);
                return (result, reciprocal);
            case GatedInput gated:
                return (CudaOperators.GatedForward(kernels, source, factor: 1, gated.GateFactor), null);
            default:
                return (source.dtype == dtype ? source : source.to(dtype), null);
        }
    }

    /// <summary>The gradients of the source and, for RMSNorm, of the gain.</summary>
    /// <param name="gradient">Of the result, T [rows, width].</param>
    /// <param name="source">As in the forward pass; unused for a tensor as it is.</param>
    /// <param name="reciprocal">From the forward pass.</param>
    /// <returns>In any dtype [rows, source width], and fp32 [width] or null.</returns>
    public (Tensor Source, Tensor? Gain) Backward(Tensor gradient, Tensor? source, Tensor? reciprocal)
    {
        switch (input)
        {
            case NormalizedInput normalized:
                var (result, _, gain) = CudaOperators.RmsNormBackward(
                    kernels, gradient, sumGradient: null, source!, normalized.Gain.detach(), reciprocal!,
                    withUpdate: false);
                return (result, gain);
            case GatedInput gated:
                return (CudaOperators.GatedBackward(kernels, gradient, source!, factor: 1, gated.GateFactor), null);
            default:
                return (gradient, null);
        }
    }
}
