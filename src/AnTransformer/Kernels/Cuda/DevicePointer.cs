using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace AnTransformer.Kernels.Cuda;

/// <summary>Addresses of tensors in their device's memory.</summary>
internal static partial class DevicePointer
{
    /// <summary>The address of a tensor's first element; 0 for null.</summary>
    /// <param name="tensor">A tensor that outlives the use of the address.</param>
    public static nint Of(Tensor? tensor) => tensor is null ? 0 : Data(tensor.Handle);

    // TorchSharp's public storage<T>().data_ptr() copies what a CUDA tensor holds to the host first.
    [LibraryImport("LibTorchSharp", EntryPoint = "THSTensor_data")]
    private static partial nint Data(nint tensor);
}
