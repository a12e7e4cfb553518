using AnTransformer.Kernels.Cuda;
using TorchSharp;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Kernels;

/// <summary>One emulated multiprocessor on the CPU's tensors.</summary>
/// <param name="emulator">Runs the kernels.</param>
/// <param name="descending">The order in which threads run between barriers.</param>
internal sealed class EmulatedLauncher(KernelEmulator emulator, bool descending) : IKernelLauncher
{
    public int Multiprocessors => 1;

    public bool Holds(Tensor tensor) => tensor.device_type == DeviceType.CPU;

    public unsafe void Launch<T>(string kernel, LaunchShape shape, in T arguments)
        where T : unmanaged
    {
        fixed (T* first = &arguments)
            emulator.Run(kernel, shape, first, sizeof(T), descending);
    }

    public Tensor Empty(long[] shape, ScalarType dtype) => empty(shape, dtype: dtype);
}
