using static TorchSharp.torch;

namespace AnTransformer.Kernels.Cuda;

/// <summary>
/// The fused operators on tensors of one CUDA device, forward and backward apart and outside the autograd graph: what
/// <c>torch.autograd.Function</c>s call. Tensors are contiguous unless said otherwise; the residual stream, parameters
/// and their gradients are fp32, activations fp32 or bf16 (called T below). Results are new tensors of the current
/// dispose scope. Sums are in a fixed order: the same inputs on the same device give the same bits.
/// </summary>
/// <remarks>
/// Every method throws <see cref="ArgumentException"/> for a tensor of another shape, dtype, device or layout, and
/// <see cref="InvalidOperationException"/> where the driver refuses a launch, for example after an earlier kernel's
/// error.
/// </remarks>
internal static partial class CudaOperators
{
    /// <summary>The rows and columns of a tensor [..., columns].</summary>
    private static (long Rows, int Columns) Matrix(Tensor tensor)
    {
        var columns = tensor.dim() == 0 ? 0 : tensor.shape[^1];
        if (columns is <= 0 or > int.MaxValue / 8 || tensor.numel() == 0)
        {
            throw new ArgumentException(
                $"A tensor of shape [{string.Join(", ", tensor.shape)}] has no rows for a kernel.", nameof(tensor));
        }

        return (tensor.numel() / columns, (int)columns);
    }

    private static ScalarType Activation(CudaKernels kernels, Tensor tensor, string name)
    {
        var dtype = tensor.dtype;
        if (dtype is not (ScalarType.Float32 or ScalarType.BFloat16))
            throw new ArgumentException($"{name} is {dtype}, but activations are fp32 or bf16.", name);
        Require(kernels, tensor, name, dtype, tensor.shape);
        return dtype;
    }

    /// <summary>Throws unless a tensor is what a kernel will take it for; null passes.</summary>
    private static void Require(
        CudaKernels kernels, Tensor? tensor, string name, ScalarType dtype, ReadOnlySpan<long> shape)
    {
        if (tensor is null)
            return;
        RequireElements(kernels, tensor, name, dtype, shape);
        if (!tensor.is_contiguous())
            throw new ArgumentException($"{name} is not contiguous.", name);
    }

    private static void RequireElements(
        CudaKernels kernels, Tensor tensor, string name, ScalarType dtype, ReadOnlySpan<long> shape)
    {
        if (!kernels.Launcher.Holds(tensor))
            throw new ArgumentException($"{name} is on {tensor.device}, not on the kernels' device.", name);
        if (tensor.dtype != dtype)
            throw new ArgumentException($"{name} is {tensor.dtype}, not {dtype}.", name);
        if (!shape.SequenceEqual(tensor.shape))
        {
            throw new ArgumentException(
                $"{name} has shape [{string.Join(", ", tensor.shape)}], not [{string.Join(", ", shape.ToArray())}].",
                name);
        }
    }

    private static Tensor Single(CudaKernels kernels, params long[] shape)
        => kernels.Launcher.Empty(shape, ScalarType.Float32);

    private static nint At(Tensor? tensor) => DevicePointer.Of(tensor);
}
