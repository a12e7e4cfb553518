using AnTransformer.Kernels;
using AnTransformer.Kernels.Cuda;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Kernels;

/// <summary>
/// A device that models compute on while this object lives: the emulator, which then takes CPU tensors, or a GPU. It counts
/// launches, and its memory is full of NaNs until a kernel writes to it.
/// </summary>
internal sealed class CountingDevice : IKernelLauncher, IDisposable
{
    private readonly IKernelLauncher _launcher;

    public CountingDevice(IKernelLauncher launcher, Device device)
    {
        (_launcher, Device) = (launcher, device);
        FusedKernels.Emulate(new CudaKernels(this));
    }

    public Device Device { get; }

    public int Multiprocessors => _launcher.Multiprocessors;

    /// <summary>The kernels that ran, without their dtype.</summary>
    public HashSet<string> Launched { get; } = [];

    /// <summary>Runs a test on every device there is.</summary>
    public static void ForEach(KernelEmulator emulator, Action<CountingDevice> run)
    {
        var hasGpu = cuda_is_available();
        if (!hasGpu)
            emulator.RequireCompiler();
        if (emulator.IsAvailable)
            Run(new EmulatedLauncher(emulator, descending: false), CPU);
        if (hasGpu)
        {
            var gpu = new Device(TorchSharp.DeviceType.CUDA, 0);
            Assert.True(CudaKernels.TryGet(gpu, out var kernels, out var reason), reason);
            Run(kernels.Launcher, gpu);
        }

        void Run(IKernelLauncher launcher, Device place)
        {
            using var scope = NewDisposeScope();
            using var device = new CountingDevice(launcher, place);
            run(device);
        }
    }

    public bool Holds(Tensor tensor) => _launcher.Holds(tensor);

    public void Launch<T>(string kernel, LaunchShape shape, in T arguments)
        where T : unmanaged
    {
        lock (Launched)
            Launched.Add(kernel[..kernel.LastIndexOf('_')]);
        _launcher.Launch(kernel, shape, arguments);
    }

    public Tensor Empty(long[] shape, ScalarType dtype) => full(shape, double.NaN, dtype: dtype, device: Device);

    public void Dispose() => FusedKernels.Emulate(null);
}
