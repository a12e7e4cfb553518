using AnTransformer.Kernels.Cuda;
using TorchSharp;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Kernels;

/// <summary>What the tests of the kernels share.</summary>
internal static class KernelAssert
{
    /// <summary>
    /// Equal up to rounding: of fp32 relative to the tensor's largest element, of bf16 relative to each as well.
    /// </summary>
    public static void Close(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        var reference = expected.detach();
        var error = (actual.cpu().to(ScalarType.Float64) - reference).abs();
        var largest = reference.abs().max().item<double>();
        var allowed = (reference.abs() * (actual.dtype == ScalarType.BFloat16 ? 1 / 250.0 : 1e-6)) + (3e-6 * largest) + 1e-12;
        // Written so that a NaN fails.
        Assert.True(
            error.le(allowed).all().item<bool>(),
            $"{actual.dtype} [{string.Join(", ", actual.shape)}]: error {error.max().item<double>():g3} of {largest:g3}");
    }

    /// <summary>Equal bit for bit; NaN differs from everything.</summary>
    public static void Same(Tensor expected, Tensor actual, string message)
        => Assert.True(expected.cpu().equal(actual.cpu()).all().item<bool>(), message);

    /// <summary>
    /// Runs a test with the same numbers by emulation, for both orders of threads, whose results must be equal, and on a GPU if
    /// there is one, twice, as equal.
    /// </summary>
    public static void Everywhere(KernelEmulator emulator, int offset, ulong seed, Func<GuardedDevice, Tensor[]> run)
    {
        var hasGpu = cuda_is_available();
        if (!hasGpu)
            emulator.RequireCompiler();
        using var scope = NewDisposeScope();
        if (emulator.IsAvailable)
        {
            Compare(
                Run(new EmulatedLauncher(emulator, descending: false), CPU),
                Run(new EmulatedLauncher(emulator, descending: true), CPU),
                "The order of threads changes the result: a barrier is missing.");
        }

        if (hasGpu)
        {
            var gpu = new Device(DeviceType.CUDA, 0);
            Assert.True(CudaKernels.TryGet(gpu, out var kernels, out var reason), reason);
            Compare(Run(kernels.Launcher, gpu), Run(kernels.Launcher, gpu), "Two runs on the GPU differ.");
        }

        Tensor[] Run(IKernelLauncher launcher, Device place)
        {
            using var device = new GuardedDevice(launcher, place, offset, seed);
            var results = run(device);
            device.CheckMemory();
            return results;
        }
    }

    private static void Compare(Tensor[] first, Tensor[] second, string message)
    {
        foreach (var (x, y) in first.Zip(second))
            Same(x, y, message);
    }
}
