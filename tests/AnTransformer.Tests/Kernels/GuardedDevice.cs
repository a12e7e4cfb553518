using AnTransformer.Kernels.Cuda;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Kernels;

/// <summary>
/// A device whose memory is surrounded by NaNs: a read outside shows in the results, a write outside is found by
/// <see cref="CheckMemory"/>, and what a kernel fails to write stays NaN.
/// </summary>
/// <param name="launcher">Runs the kernels: the emulator or a GPU.</param>
/// <param name="device">Where tensors are.</param>
/// <param name="offset">Elements by which memory is off the alignment that vectors need.</param>
/// <param name="seed">Seed of <see cref="Random"/>: tests run side by side, and the default generator is everyone's.</param>
internal sealed class GuardedDevice(IKernelLauncher launcher, Device device, int offset, ulong seed) : IKernelLauncher, IDisposable
{
    private const int Guard = 64;
    private readonly Generator _generator = new(seed, CPU);
    private readonly List<(Tensor Whole, long Start, long Length)> _memory = [];

    public int Multiprocessors => launcher.Multiprocessors;

    public bool Holds(Tensor tensor) => launcher.Holds(tensor);

    public void Launch<T>(string kernel, LaunchShape shape, in T arguments)
        where T : unmanaged
        => launcher.Launch(kernel, shape, arguments);

    public Tensor Empty(long[] shape, ScalarType dtype)
    {
        var length = shape.Aggregate(1L, (product, size) => product * size);
        var whole = full([length + (2 * Guard) + offset], double.NaN, dtype: dtype, device: device);
        _memory.Add((whole, Guard + offset, length));
        return whole.narrow(0, Guard + offset, length).view(shape);
    }

    /// <summary>Normal numbers, not yet in this device's memory.</summary>
    public Tensor Random(params long[] shape) => randn(shape, generator: _generator);

    /// <summary>A copy in this device's memory.</summary>
    public Tensor Put(Tensor tensor)
    {
        if (tensor.dtype == ScalarType.Int64)
            return tensor.clone().to(device);
        var copy = Empty(tensor.shape, tensor.dtype);
        copy.copy_(tensor);
        return copy;
    }

    public void CheckMemory()
    {
        foreach (var (whole, start, length) in _memory)
        {
            Assert.True(whole.narrow(0, 0, start).isnan().all().item<bool>(), "A kernel wrote before its memory.");
            Assert.True(
                whole.narrow(0, start + length, whole.numel() - start - length).isnan().all().item<bool>(),
                "A kernel wrote behind its memory.");
        }
    }

    public void Dispose() => _generator.Dispose();
}
