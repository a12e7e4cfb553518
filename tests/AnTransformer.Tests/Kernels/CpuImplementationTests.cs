using System.Runtime.Intrinsics;
using AnTransformer.Kernels;
using AnTransformer.Kernels.Cpu;

namespace AnTransformer.Tests.Kernels;

public sealed class CpuImplementationTests
{
    [Fact]
    public void It_says_what_the_kernels_run_on()
    {
        var current = CpuImplementation.Current;
        Assert.Equal(Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128, current.VectorBits);
        Assert.Equal(Vector512.IsHardwareAccelerated, current.InstructionSet == "avx512");
        Assert.Equal(Gemm.Choice.Describe(Gemm.BlasName), current.MatrixProducts);
        Assert.StartsWith("2.", current.LibTorch, StringComparison.Ordinal);
        Assert.Contains(current.LibTorchInstructionSet, new[] { "default", "no avx", "avx2", "avx512", "unknown" });
    }

    [Theory]
    [InlineData(128)]
    [InlineData(256)]
    [InlineData(512)]
    public void Every_width_knows_itself(int bits)
    {
        CpuKernels kernels = bits switch
        {
            128 => new CpuKernels<Simd128>(),
            256 => new CpuKernels<Simd256>(),
            _ => new CpuKernels<Simd512>(),
        };
        Assert.Equal(bits, kernels.VectorBits);
    }
}
