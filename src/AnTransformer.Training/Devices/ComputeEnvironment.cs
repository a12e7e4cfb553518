using System.Reflection;
using System.Text.Json.Serialization;
using AnTransformer.Configuration;
using AnTransformer.Kernels;
using static TorchSharp.torch;

namespace AnTransformer.Training.Devices;

/// <summary>
/// What a run computes with, as far as it may decide the last bits of its results. The same run on another such
/// environment learns the same, but its sums are in another order.
/// </summary>
public sealed record ComputeEnvironment
{
    private const string OwnProducts = "own";

    /// <summary>Version of this software.</summary>
    public string Version { get; init; } = "";

    /// <summary><c>cpu</c>, or the GPU as the configuration names it.</summary>
    public string Device { get; init; } = "";

    /// <summary>Whether operators ran as <c>fused</c> kernels or <c>eager</c>, by TorchSharp's own operators.</summary>
    public string Kernels { get; init; } = "";

    /// <summary>Precision of matrix products and attention.</summary>
    public string ComputeDtype { get; init; } = "";

    /// <summary>CPU threads.</summary>
    public int Threads { get; init; }

    /// <summary>
    /// Widest vector instructions of the kernels: <c>avx512</c>, <c>avx2</c>, <c>avx</c>, <c>sse</c>, <c>neon</c> or
    /// <c>none</c>.
    /// </summary>
    public string InstructionSet { get; init; } = "";

    /// <summary>Width of the kernels' vectors.</summary>
    public int VectorBits { get; init; }

    /// <summary>Whose matrix products: <c>own</c>, <c>mkl</c>, <c>blas</c> or <c>tensors</c>.</summary>
    public string MatrixProducts { get; init; } = "";

    /// <summary>Version of LibTorch.</summary>
    [JsonPropertyName("libtorch")]
    public string LibTorch { get; init; } = "";

    /// <summary>Instructions that LibTorch's own operators use.</summary>
    [JsonPropertyName("libtorch_instruction_set")]
    public string LibTorchInstructionSet { get; init; } = "";

    /// <summary>This process's, for a device.</summary>
    /// <param name="device">The device, as the configuration names it.</param>
    /// <param name="computeDtype">Precision of matrix products.</param>
    public static ComputeEnvironment Current(Device device, ComputeDtype computeDtype)
    {
        var cpu = CpuImplementation.Current;
        return new ComputeEnvironment
        {
            Version = typeof(ComputeEnvironment).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
                ?.InformationalVersion
                ?? "",
            Device = device.ToString(),
            Kernels = FusedKernels.Enabled && FusedKernels.WhyEager(device) is null ? "fused" : "eager",
            ComputeDtype = EnumSpelling.Of(computeDtype),
            Threads = get_num_threads(),
            InstructionSet = cpu.InstructionSet,
            VectorBits = cpu.VectorBits,
            MatrixProducts = cpu.MatrixProducts,
            LibTorch = cpu.LibTorch,
            LibTorchInstructionSet = cpu.LibTorchInstructionSet,
        };
    }

    /// <summary>
    /// In what another environment differs that may change bits, such as <c>instruction set avx512 → avx2</c>; null
    /// where results are promised to be the same. The number of threads counts only where LibTorch computes, whose sums
    /// depend on it.
    /// </summary>
    /// <param name="now">The other one.</param>
    public string? DifferenceOfBits(ComputeEnvironment now)
    {
        var ownSums = Kernels == "fused" && MatrixProducts == OwnProducts && ComputeDtype == "fp32" && Device == "cpu";
        var differences = new[]
        {
            Difference("version", Release(Version), Release(now.Version)),
            Difference("device", Device, now.Device),
            Difference("kernels", Kernels, now.Kernels),
            Difference("threads", ownSums ? 0 : Threads, ownSums ? 0 : now.Threads),
            Difference("instruction set", InstructionSet, now.InstructionSet),
            Difference("bits of a vector", VectorBits, now.VectorBits),
            Difference("matrix products", MatrixProducts, now.MatrixProducts),
            Difference("LibTorch", LibTorch, now.LibTorch),
            Difference("LibTorch's instruction set", LibTorchInstructionSet, now.LibTorchInstructionSet),
        };
        var found = string.Join(", ", differences.Where(difference => difference is not null));
        return found.Length > 0 ? found : null;
    }

    /// <summary>A version without the commit that it was built from.</summary>
    private static string Release(string version) => version.Split('+')[0];

    private static string? Difference<T>(string name, T before, T now)
        => EqualityComparer<T>.Default.Equals(before, now) ? null : $"{name} {Printable.Change($"{before}", $"{now}")}";
}
