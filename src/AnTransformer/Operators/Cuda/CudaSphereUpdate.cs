using AnTransformer.Kernels;
using AnTransformer.Kernels.Cuda;
using static TorchSharp.torch;

namespace AnTransformer.Operators.Cuda;

/// <summary><see cref="SphereUpdateOperator"/> on a CUDA device.</summary>
internal static class CudaSphereUpdate
{
    /// <summary>Whether the kernels can take it.</summary>
    public static bool Fits(CudaKernels kernels, Tensor h, Tensor x)
        => kernels.Launcher.Holds(h) && kernels.Launcher.Holds(x) && h.dtype == ScalarType.Float32
            && x.dtype is ScalarType.Float32 or ScalarType.BFloat16 && h.is_contiguous() && x.is_contiguous()
            && h.numel() > 0;

    /// <summary>L2(h + |α| ⊙ (L2(x) − h)).</summary>
    /// <param name="kernels">The device's kernels.</param>
    /// <param name="h">The stream, [..., d].</param>
    /// <param name="x">A block's output, [..., d].</param>
    /// <param name="alpha">α, [d].</param>
    public static Tensor Apply(CudaKernels kernels, Tensor h, Tensor x, ReparameterizedScale alpha)
    {
        Dispatch.Record(Operation.SphereUpdate, DispatchPath.Cuda);
        using var scope = NewDisposeScope();
        var a = alpha.Value();
        var (output, _, ofX, ofSum) = CudaOperators.NormalizedUpdateForward(kernels, h, x, a);
        if (AutogradNode.IsNeeded(h, x, a))
        {
            var saved = new[] { h, x, a, ofX, ofSum }.Select(AutogradNode.Save).ToList();
            AutogradNode.Record([h, x, a], output, saved, gradient =>
            {
                var gradients = CudaOperators.NormalizedUpdateBackward(
                    kernels, gradient, castGradient: null, saved[0], saved[1], saved[2], saved[3], saved[4]);
                return [gradients.H, gradients.O, gradients.Alpha];
            });
        }

        return output.MoveToOuterDisposeScope();
    }
}
