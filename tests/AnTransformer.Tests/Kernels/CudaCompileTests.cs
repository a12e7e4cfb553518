using System.Text.RegularExpressions;
using AnTransformer.Kernels.Cuda;

namespace AnTransformer.Tests.Kernels;

/// <summary>
/// Every kernel compiles to PTX: clang checks the language and generates code, where neither NVRTC nor a GPU is.
/// </summary>
public sealed class CudaCompileTests
{
    public static TheoryData<string> Sources => new(CudaSource.Names);

    [Theory]
    [MemberData(nameof(Sources))]
    public void EverySourceCompilesOnItsOwn(string name)
    {
        var ptx = Compile(CudaSource.Program([name]));
        Assert.Contains(".entry", ptx, StringComparison.Ordinal);
    }

    [Fact]
    public void TheWholeProgramCompilesWithoutMemoryOfItsThreads()
    {
        var program = CudaSource.Program(CudaSource.Names);
        var ptx = Compile(program);
        var expected = Find(program, @"^(TYPED_)?KERNEL\((?<name>\w+),").SelectMany(name => new[] { name + "_f32", name + "_bf16" })
            .Concat(Find(program, @"^(FP32|PLAIN)_KERNEL\((?<name>\w+),").Select(name => name + "_f32"));
        Assert.Equal(expected.Order(StringComparer.Ordinal), Find(ptx, @"\.entry (?<name>\w+)").Order(StringComparer.Ordinal));
        // Arrays indexed at run time would live in slow local memory.
        Assert.DoesNotContain("__local_depot", ptx, StringComparison.Ordinal);
        Assert.Contains("ld.global.v4.f32", ptx, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Find(string text, string pattern)
        => Regex.Matches(text, pattern, RegexOptions.Multiline | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)
            .Select(match => match.Groups["name"].Value);

    private static string Compile(string program)
    {
        Assert.SkipWhen(Toolchain.Clang is null, "clang is not installed (apt-get install clang-14).");
        var folder = Directory.CreateTempSubdirectory("antransformer-ptx-");
        try
        {
            var source = Path.Combine(folder.FullName, "kernels.cu");
            var output = Path.Combine(folder.FullName, "kernels.ptx");
            File.WriteAllText(source, program);
            Toolchain.Run(
                Toolchain.Clang, "-x", "cuda", "--cuda-gpu-arch=sm_80", "--cuda-device-only", "-nocudainc", "-nocudalib", "-O3",
                "-std=c++17", "-Wall", "-Wextra", "-Werror", "-Wno-unknown-cuda-version",
                "-include", KernelEmulator.Support("clang.h"), "-S", source, "-o", output);
            return File.ReadAllText(output);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
