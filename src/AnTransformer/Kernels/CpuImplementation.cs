using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using System.Text;
using AnTransformer.Kernels.Cpu;
using AnTransformer.Native;

namespace AnTransformer.Kernels;

/// <summary>
/// What this process computes with on the CPU. Results are the same to the bit only where all of it is the same:
/// vectors of another width sum in another order.
/// </summary>
/// <param name="InstructionSet">
/// Widest vector instructions that the kernels may use: <c>avx512</c>, <c>avx2</c>, <c>avx</c>, <c>sse</c>, <c>neon</c>
/// or <c>none</c>.
/// </param>
/// <param name="VectorBits">Width of the kernels' vectors.</param>
/// <param name="MatrixProducts">
/// Whose matrix products: <c>own</c>, or LibTorch's <c>mkl</c>, <c>blas</c> (another BLAS) or <c>tensors</c> (its
/// operators), or both, by class of shape: <c>own+mkl:1101111</c>.
/// </param>
/// <param name="LibTorch">Version of LibTorch, as far as its folder tells.</param>
/// <param name="LibTorchInstructionSet">
/// Instructions that LibTorch's own operators have chosen, such as <c>default</c>, <c>avx2</c> or <c>avx512</c>; or
/// <c>unknown</c>.
/// </param>
public sealed unsafe record CpuImplementation(
    string InstructionSet, int VectorBits, string MatrixProducts, string LibTorch, string LibTorchInstructionSet)
{
    /// <summary>This process's. Loads LibTorch.</summary>
    /// <exception cref="LibTorchLoadException">LibTorch cannot be loaded.</exception>
    /// <exception cref="InvalidInputException">ANTRANSFORMER_GEMM has an unknown value.</exception>
    public static CpuImplementation Current
    {
        get
        {
            s_current ??= new CpuImplementation(
                WidestInstructions(), CpuKernels.Instance.VectorBits, "", LibTorchVersion.Find(), Capability());
            return s_current with { MatrixProducts = Gemm.Choice.Describe(Gemm.BlasName) };
        }
    }

    private static CpuImplementation? s_current;

    private static string WidestInstructions()
        => Vector512.IsHardwareAccelerated ? "avx512"
            : Avx2.IsSupported ? "avx2"
            : Avx.IsSupported ? "avx"
            : X86Base.IsSupported ? "sse"
            : AdvSimd.IsSupported ? "neon"
            : "none";

    /// <summary>
    /// Asks <c>at::get_cpu_capability()</c>, which returns a <c>std::string</c>: the caller gives room for it, which is
    /// a pointer, a length, and 16 bytes that hold a short text in place, so that nothing is to be freed.
    /// </summary>
    private static string Capability()
    {
        const int longestInPlace = 15;
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
            return "unknown";
        var function = (delegate* unmanaged<nint*, nint>)Native.LibTorch.FindExport(
            "_ZN2at18get_cpu_capabilityB5cxx11Ev");
        if (function == null)
            return "unknown";
        var text = stackalloc nint[4];
        function(text);
        return text[1] is > 0 and <= longestInPlace
            ? Encoding.ASCII.GetString((byte*)text[0], (int)text[1]).ToLowerInvariant()
            : "unknown";
    }
}
