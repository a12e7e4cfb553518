using static TorchSharp.torch;

namespace AnTransformer.Kernels.Cuda;

/// <summary>What runs the compiled kernels: a GPU, or in tests an emulator on the CPU.</summary>
internal interface IKernelLauncher
{
    /// <summary>Whether a tensor is in this device's memory.</summary>
    /// <param name="tensor">Any tensor.</param>
    bool Holds(Tensor tensor);

    /// <summary>Multiprocessors of the device: what the number of blocks is chosen by.</summary>
    int Multiprocessors { get; }

    /// <summary>Runs a kernel after what was launched before.</summary>
    /// <typeparam name="T">The structure that the kernel takes, field by field as in its source.</typeparam>
    /// <param name="kernel">The entry point's name.</param>
    /// <param name="shape">Blocks and threads.</param>
    /// <param name="arguments">What the kernel works on.</param>
    /// <exception cref="InvalidOperationException">The launch was refused.</exception>
    void Launch<T>(string kernel, LaunchShape shape, in T arguments)
        where T : unmanaged;

    /// <summary>Memory of the device with undefined contents.</summary>
    /// <param name="shape">Its shape.</param>
    /// <param name="dtype">Its dtype.</param>
    Tensor Empty(long[] shape, ScalarType dtype);
}
