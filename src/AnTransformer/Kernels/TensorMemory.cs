using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace AnTransformer.Kernels;

/// <summary>Addresses of tensors, and tensors at addresses.</summary>
internal static unsafe partial class TensorMemory
{
    /// <summary>Address of a tensor's first element, on whatever device it lies.</summary>
    public static nint Address(Tensor tensor) => THSTensor_data(tensor.Handle);

    /// <summary>A CPU tensor's fp32 elements.</summary>
    public static float* Floats(Tensor tensor) => (float*)THSTensor_data(tensor.Handle);

    /// <summary>A CPU tensor's int64 elements.</summary>
    public static long* Longs(Tensor tensor) => (long*)THSTensor_data(tensor.Handle);

    /// <summary>A contiguous fp32 CPU tensor in memory of ours; <paramref name="release"/> is called with its address
    /// when the last reference to the memory is gone, on any thread.</summary>
    public static Tensor Wrap(nint memory, delegate* unmanaged<nint, void> release, ReadOnlySpan<long> shape)
    {
        fixed (long* sizes = shape)
        {
            const sbyte float32 = (sbyte)ScalarType.Float32;
            var handle = THSTensor_new(memory, release, sizes, shape.Length, float32, float32, 0, 0, 0);
            if (handle == 0)
                CheckForErrors();
            return Tensor.UnsafeCreateTensor(handle);
        }
    }

    [LibraryImport("LibTorchSharp")]
    private static partial nint THSTensor_data(nint tensor);

    [LibraryImport("LibTorchSharp")]
    private static partial nint THSTensor_new(
        nint data, delegate* unmanaged<nint, void> deleter, long* sizes, int length, sbyte type, sbyte dtype,
        int deviceType,
        int deviceIndex, byte requiresGradient);
}
