using System.Runtime.InteropServices;
using System.Text;
using AnTransformer.Kernels.Cuda;

namespace AnTransformer.Tests.Kernels;

/// <summary>The tests that share one emulator, which runs one kernel at a time.</summary>
[CollectionDefinition(KernelEmulator.Collection)]
public sealed class KernelEmulatorCollection : ICollectionFixture<KernelEmulator>;

/// <summary>
/// The kernels' source compiled for the CPU, with an emulation of blocks, warps and barriers (Emulation/emulator.cpp).
/// </summary>
public sealed unsafe class KernelEmulator : IDisposable
{
    public const string Collection = "CUDA kernels on the CPU";

    private readonly DirectoryInfo? _folder;
    private readonly nint _library;
    private readonly delegate* unmanaged<byte*, uint, uint, uint, uint, void*, int, int, byte*> _emulate;

    public KernelEmulator()
    {
        if (!OperatingSystem.IsLinux() || Toolchain.Cpp is null)
            return;
        _folder = Directory.CreateTempSubdirectory("antransformer-emulator-");
        File.WriteAllText(Path.Combine(_folder.FullName, "kernels.cu"), CudaSource.Program(CudaSource.Names));
        var path = Path.Combine(_folder.FullName, "libemulator.so");
        Compile(Support("emulator.cpp"), path);
        _library = NativeLibrary.Load(path);
        _emulate = (delegate* unmanaged<byte*, uint, uint, uint, uint, void*, int, int, byte*>)
            NativeLibrary.GetExport(_library, "emulate");
    }

    public bool IsAvailable => _library != 0;

    /// <summary>A file beside the emulator's source.</summary>
    public static string Support(string name) => Path.Combine(AppContext.BaseDirectory, "Kernels", "Emulation", name);

    public void RequireCompiler() => Assert.SkipUnless(
        IsAvailable, "There is no C++ compiler (apt-get install clang-14), or not Linux.");

    /// <summary>A library that has the exports of CUDA's driver and of NVRTC, and runs kernels by emulation.</summary>
    public string FakeCuda()
    {
        var path = Path.Combine(_folder!.FullName, "libfakecuda.so");
        if (!File.Exists(path))
            Compile(Support("fake_cuda.cpp"), path);
        return path;
    }

    internal void Run(string kernel, LaunchShape shape, void* arguments, int size, bool descending)
    {
        fixed (byte* name = Encoding.UTF8.GetBytes(kernel + '\0'))
        {
            var problem = _emulate(
                name, (uint)shape.X, (uint)shape.Y, (uint)shape.Block, (uint)shape.SharedBytes, arguments, size, descending ? 1 : 0);
            Assert.True(problem is null, $"{kernel}: {Marshal.PtrToStringUTF8((nint)problem)}");
        }
    }

    // Fused multiply-adds are left out: results must not depend on the compiler.
    private void Compile(string source, string path) => Toolchain.Run(
        Toolchain.Cpp!, "-std=c++17", "-O1", "-ffp-contract=off", "-fPIC", "-shared", "-U_FORTIFY_SOURCE", "-I", _folder!.FullName,
        source, "-o", path);

    public void Dispose()
    {
        if (_library != 0)
            NativeLibrary.Free(_library);
        _folder?.Delete(recursive: true);
    }
}
