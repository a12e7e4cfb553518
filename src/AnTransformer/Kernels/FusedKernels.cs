using static TorchSharp.torch;

namespace AnTransformer.Kernels;

/// <summary>
/// Whether operators run as fused kernels. What the kernels do not support (another dtype, device or layout) runs on TorchSharp's
/// operators, with the same result up to rounding.
/// </summary>
public static class FusedKernels
{
    /// <summary>Set to <c>eager</c> in the environment to start with <see cref="Enabled"/> off.</summary>
    public const string EnvironmentVariable = "ANTRANSFORMER_KERNELS";

    /// <summary>Whether fused kernels are used where they can be; on by default. Not to be changed between a forward pass and its
    /// backward pass.</summary>
    public static bool Enabled { get; set; } =
        !string.Equals(Environment.GetEnvironmentVariable(EnvironmentVariable), "eager", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether the CPU kernels can take these tensors: fp32 in contiguous CPU memory.</summary>
    internal static bool FitCpu(params ReadOnlySpan<Tensor?> tensors)
    {
        if (!Enabled)
            return false;
        foreach (var tensor in tensors)
        {
            if (tensor is not null && !IsPlain(tensor))
                return false;
        }

        return true;
    }

    private static bool IsPlain(Tensor tensor)
        => tensor.dtype == ScalarType.Float32 && tensor.device_type == TorchSharp.DeviceType.CPU && tensor.is_contiguous()
            && tensor.numel() > 0;
}
