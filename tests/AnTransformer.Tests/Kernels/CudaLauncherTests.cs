using System.Runtime.InteropServices;
using System.Text;
using AnTransformer.Kernels;
using AnTransformer.Kernels.Cuda;
using TorchSharp;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Kernels;

/// <summary>Compiling, caching, loading and launching, with stand-ins for NVIDIA's libraries.</summary>
[Collection(KernelEmulator.Collection)]
public sealed unsafe class CudaLauncherTests(KernelEmulator emulator) : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("antransformer-kernels-");

    private string CacheFolder => Path.Combine(_folder.FullName, "kernels");

    [Fact]
    public void KernelsAreCompiledOnceAndRun()
    {
        var before = Compilations();
        AssertWorks(Create());
        AssertWorks(Create());
        Assert.Equal(before + 1, Compilations());
        Assert.StartsWith("CODE --gpu-architecture=sm_90\n", CachedText(), StringComparison.Ordinal);
    }

    [Fact]
    public void ADamagedEntryIsCompiledAgain()
    {
        Create();
        var bytes = File.ReadAllBytes(CachedFile());
        foreach (var damaged in new[] { bytes[..^1], [], [.. bytes[..^1], (byte)(bytes[^1] ^ 1)] })
        {
            File.WriteAllBytes(CachedFile(), damaged);
            var before = Compilations();
            AssertWorks(Create());
            Assert.Equal(before + 1, Compilations());
            Assert.Equal(bytes, File.ReadAllBytes(CachedFile()));
        }
    }

    [Fact]
    public void AnEntryThatTheDriverRefusesIsCompiledAgain()
    {
        Create();
        new KernelCache(CacheFolder).Keep(Path.GetFileNameWithoutExtension(CachedFile()), "something else"u8.ToArray());
        var before = Compilations();
        AssertWorks(Create());
        Assert.Equal(before + 1, Compilations());
        Assert.StartsWith("CODE ", CachedText(), StringComparison.Ordinal);
    }

    [Fact]
    public void ADeviceThatTheCompilerDoesNotKnowGetsPtx()
    {
        SetCapability(120);
        AssertWorks(Create());
        Assert.StartsWith("CODE --gpu-architecture=compute_90\n", CachedText(), StringComparison.Ordinal);
    }

    [Fact]
    public void AFolderThatCannotBeWrittenOnlyCostsTheCache()
    {
        File.WriteAllText(CacheFolder, "a file");
        AssertWorks(Create());
    }

    [Fact]
    public void WhatIsMissingIsNamed()
    {
        var fake = Fake();
        AssertUnavailable("libcuda", () => CudaLauncher.Create(0, ["no-such-driver"], [fake], new KernelCache(null)));
        AssertUnavailable("libnvrtc", () => CudaLauncher.Create(0, [fake], ["no-such-compiler"], new KernelCache(null)));
        AssertUnavailable("no such device", () => CudaLauncher.Create(7, [fake], [fake], new KernelCache(null)));
        AssertUnavailable("no function", () => CudaLauncher.Create(0, ["libc.so.6"], [fake], new KernelCache(null)));
        AssertUnavailable("no function", () => CudaLauncher.Create(0, [fake], ["libc.so.6"], new KernelCache(null)));
    }

    [Fact]
    public void ARefusedLaunchIsAnError()
    {
        var launcher = Create();
        var arguments = default(ColumnSumArguments);
        Assert.Throws<InvalidOperationException>(() => launcher.Launch("no_such_kernel", new(1, 1, 32), arguments));
        Assert.Throws<InvalidOperationException>(() => launcher.Launch("column_sum_f32", new(1, 1, 7), arguments));
    }

    [Fact]
    public void WithoutADeviceThereIsAReason()
    {
        Assert.SkipWhen(cuda_is_available(), "There is a CUDA device.");
        var device = new Device(DeviceType.CUDA, 5);
        Assert.False(CudaKernels.TryGet(device, out _, out var reason));
        Assert.NotNull(reason);
        Assert.Equal(reason, FusedKernels.WhyEager(device));
        Assert.Null(FusedKernels.WhyEager(CPU));
        Assert.False(CudaKernels.TryGet(CPU, out _, out reason));
        Assert.Null(reason);
    }

    [Fact]
    public void TheCompilerIsLookedForBesidePyTorch()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Names of libraries are Linux's.");
        var torch = Directory.CreateDirectory(Path.Combine(_folder.FullName, "torch", "lib")).FullName;
        var pip = Directory.CreateDirectory(Path.Combine(_folder.FullName, "nvidia", "cuda_nvrtc", "lib")).FullName;
        foreach (var name in new[] { "libnvrtc.so.12", "libnvrtc-builtins.so.12.8", "libnvrtc.alt.so.12" })
            File.WriteAllText(Path.Combine(pip, name), "");
        File.WriteAllText(Path.Combine(torch, "libnvrtc-0123abcd.so.12"), "");
        Assert.Equal(
            [Path.Combine(torch, "libnvrtc-0123abcd.so.12"), Path.Combine(pip, "libnvrtc.so.12")],
            RuntimeCompilerFiles.Candidates(torch).Where(Path.IsPathRooted));
        Assert.Equal(["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"], RuntimeCompilerFiles.Candidates(null));
    }

    public void Dispose()
    {
        if (OperatingSystem.IsLinux() && Toolchain.Cpp is not null)
            SetCapability(90);
        _folder.Delete(recursive: true);
    }

    private static void AssertUnavailable(string word, Func<object> create)
        => Assert.Contains(word, Assert.Throws<CudaUnavailableException>(create).Message, StringComparison.Ordinal);

    // On a thread of its own, which has no context yet, as autograd's threads.
    private static void AssertWorks(CudaLauncher launcher)
    {
        using var scope = NewDisposeScope();
        Assert.Equal(2, launcher.Multiprocessors);
        var (partial, result) = (arange(12, dtype: ScalarType.Float32).view(3, 4), zeros(4));
        var thread = new Thread(() => launcher.Launch("column_sum_f32", new(1, 1, 512), new ColumnSumArguments
        {
            Partial = DevicePointer.Of(partial),
            Out = DevicePointer.Of(result),
            Rows = 3,
            Columns = 4,
        }));
        thread.Start();
        thread.Join();
        Assert.Equal([12, 15, 18, 21], result.data<float>().ToArray());
    }

    private CudaLauncher Create() => CudaLauncher.Create(0, [Fake()], [Fake()], new KernelCache(CacheFolder));

    private string CachedFile() => Assert.Single(Directory.GetFiles(CacheFolder));

    private string CachedText()
        => Encoding.UTF8.GetString(new KernelCache(CacheFolder).Find(Path.GetFileNameWithoutExtension(CachedFile()))!);

    private string Fake()
    {
        emulator.RequireCompiler();
        return emulator.FakeCuda();
    }

    private int Compilations() => ((delegate* unmanaged<int>)Export("fake_compilations"))();

    private void SetCapability(int value) => ((delegate* unmanaged<int, void>)Export("fake_set_capability"))(value);

    private nint Export(string name) => NativeLibrary.GetExport(NativeLibrary.Load(Fake()), name);
}
