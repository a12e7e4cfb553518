using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using AnTransformer.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace AnTransformer.Kernels.Cuda;

/// <summary>
/// Hand-fused CUDA kernels of one device, for <see cref="CudaOperators"/>. They are compiled at first use by NVIDIA's
/// run-time compiler, which comes with LibTorch and PyTorch, and cached in the user's cache folder.
/// </summary>
internal sealed partial class CudaKernels
{
    private static readonly ConcurrentDictionary<int, Lazy<Attempt>> Attempts = new();

    internal CudaKernels(IKernelLauncher launcher) => Launcher = launcher;

    internal IKernelLauncher Launcher { get; }

    /// <summary>
    /// The kernels of a device. Whatever is missing or fails — the driver, the compiler, the compilation — is a reason
    /// to compute without them and never an exception.
    /// </summary>
    /// <param name="device">Any device; only CUDA devices have kernels.</param>
    /// <param name="kernels">The kernels, or null.</param>
    /// <param name="reason">Why a CUDA device has none; null for devices of another type.</param>
    /// <returns>Whether there are kernels.</returns>
    public static bool TryGet(Device device, [NotNullWhen(true)] out CudaKernels? kernels, out string? reason)
    {
        ArgumentNullException.ThrowIfNull(device);
        (kernels, reason) = (null, null);
        if (device.type != DeviceType.CUDA)
            return false;
        var ordinal = Math.Max(device.index, 0);    // cuda without a number is the first
        var attempt = Attempts.GetOrAdd(ordinal, key => new(() => Attempt.At(key))).Value;
        kernels = attempt.Kernels;
        reason = attempt.Reason;
        return kernels is not null;
    }

    private sealed class Attempt(CudaKernels? kernels, string? reason)
    {
        public CudaKernels? Kernels => kernels;

        public string? Reason => reason;

        [SuppressMessage(
            "Design", "CA1031", Justification = "Everything works without kernels: no failure may end a run.")]
        public static Attempt At(int ordinal)
        {
            try
            {
                var compilers = RuntimeCompilerFiles.Candidates(RuntimeCompilerFiles.ChosenFolder());
                var cache = new KernelCache(CacheFolder());
                return new(
                    new CudaKernels(CudaLauncher.Create(ordinal, CudaDriver.SystemNames, compilers, cache)), null);
            }
            catch (Exception e)
            {
                return new(null, e.Message);
            }
        }

        private static string? CacheFolder()
        {
            try
            {
                return Path.Combine(LibTorchSharpCompatibility.CacheDirectory(), "kernels");
            }
            catch (DirectoryNotFoundException)
            {
                return null;
            }
        }
    }
}
