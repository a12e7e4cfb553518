using AnTransformer.Kernels;
using AnTransformer.Kernels.Cuda;
using static TorchSharp.torch;

namespace AnTransformer.Optimization;

/// <summary>Whether the fused kernels of a CUDA device can take parameters with their state.</summary>
internal static class CudaStates
{
    /// <summary>The kernels; null where a tensor is not contiguous fp32 memory of one such device.</summary>
    /// <param name="states">The parameters.</param>
    public static CudaKernels? KernelsFor(IReadOnlyList<ParameterState> states)
    {
        CudaKernels? kernels = null;
        foreach (var state in states)
        {
            if (state.Gradient() is not { } gradient)
                continue;
            kernels ??= FusedKernels.ForCuda(state.Parameter);
            foreach (var tensor in (Tensor[])[state.Parameter, gradient, .. state.Tensors])
            {
                if (kernels is null || !kernels.Launcher.Holds(tensor) || tensor.dtype != ScalarType.Float32
                    || !tensor.is_contiguous() || tensor.numel() == 0)
                {
                    return null;
                }
            }
        }

        return kernels;
    }
}
