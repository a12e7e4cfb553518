using AnTransformer.Kernels.Cuda;
using TorchSharp;
using static TorchSharp.torch;

namespace AnTransformer.Kernels;

/// <summary>
/// Whether operators run as fused kernels. What the kernels do not support (another dtype, device or layout) runs on
/// TorchSharp's operators, with the same result up to rounding.
/// </summary>
public static class FusedKernels
{
    /// <summary>Set to <c>eager</c> in the environment to start with <see cref="Enabled"/> off.</summary>
    public const string EnvironmentVariable = "ANTRANSFORMER_KERNELS";

    [ThreadStatic]
    private static CudaKernels? t_emulation;

    [ThreadStatic]
    private static bool t_isEager;

    /// <summary>
    /// Whether fused kernels are used where they can be; on by default. A model keeps to what holds when it is made, an
    /// optimizer asks at each step.
    /// </summary>
    public static bool Enabled { get; set; } =
        !string.Equals(
            Environment.GetEnvironmentVariable(EnvironmentVariable), "eager", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// Why a CUDA device computes without fused kernels although they are enabled, one clause; null where it has them,
    /// for other devices and where <see cref="Enabled"/> is off. The first call compiles the device's kernels.
    /// </summary>
    /// <param name="device">Any device.</param>
    public static string? WhyEager(Device device)
        => Enabled && !CudaKernels.TryGet(device, out _, out var reason) ? reason : null;

    /// <summary>
    /// Returns the CPU memory that is kept from step to step and not in use to the system, for example once a model has
    /// been disposed.
    /// </summary>
    public static void ReleaseMemory() => BufferPool.Trim();

    /// <summary>Whether this thread uses kernels.</summary>
    internal static bool AreUsed => Enabled && !t_isEager;

    /// <summary>Whether the CPU kernels are used and can take these tensors.</summary>
    internal static bool FitCpu(params ReadOnlySpan<Tensor?> tensors)
        => AreUsed && t_emulation is null && ArePlain(tensors);

    /// <summary>Whether tensors are as the CPU kernels read them: fp32, not empty, in contiguous CPU memory.</summary>
    internal static bool ArePlain(params ReadOnlySpan<Tensor?> tensors)
    {
        foreach (var tensor in tensors)
        {
            if (tensor is not null && !IsPlain(tensor))
                return false;
        }

        return true;
    }

    /// <summary>The kernels that can take a tensor and others of its device; null for none.</summary>
    internal static CudaKernels? ForCuda(Tensor tensor)
    {
        var kernels = ForCuda(tensor.device);
        return kernels is not null && kernels.Launcher.Holds(tensor) ? kernels : null;
    }

    /// <summary>The kernels of a device; null where it has none, or they are not used.</summary>
    internal static CudaKernels? ForCuda(Device device)
        => !AreUsed ? null
            : t_emulation
                ?? (device.type == DeviceType.CUDA && CudaKernels.TryGet(device, out var kernels, out _) ? kernels
                    : null);

    /// <summary>
    /// For tests: on this thread, CPU tensors are taken for those of a device with these kernels; null for no longer.
    /// </summary>
    internal static void Emulate(CudaKernels? kernels) => t_emulation = kernels;

    /// <summary>
    /// For tests, which others run beside: on this thread, none of the kernels are used; false for no longer.
    /// </summary>
    internal static void BeEager(bool isEager) => t_isEager = isEager;

    private static bool IsPlain(Tensor tensor)
        => tensor.dtype == ScalarType.Float32 && tensor.device_type == DeviceType.CPU && tensor.is_contiguous()
            && tensor.numel() > 0;
}
