using System.Diagnostics;
using AnTransformer.Native;
using TorchSharp;

namespace AnTransformer.Tests.Native;

public sealed class LibTorchTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("antransformer-test-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Torch_computes()
    {
        var info = LibTorch.EnsureLoaded();
        using var x = torch.tensor(new float[] { 1, 2, 3 });
        using var y = x.dot(x);
        Assert.Equal(14, y.item<float>());
        Assert.Null(info.UndefinedSymbol);
        Assert.Same(info, LibTorch.EnsureLoaded());
    }

    [Fact]
    public void A_copy_is_kept_once_and_repaired_when_damaged()
    {
        byte[] image = [1, 2, 3];
        var path = LibTorchSharpCompatibility.Keep(image, _directory);
        var written = File.GetLastWriteTimeUtc(path);
        Assert.Equal(path, LibTorchSharpCompatibility.Keep(image, _directory));
        Assert.Equal(written, File.GetLastWriteTimeUtc(path));

        File.WriteAllBytes(path, [1, 2]);
        Assert.Equal(path, LibTorchSharpCompatibility.Keep(image, _directory));
        Assert.Equal(image, File.ReadAllBytes(path));
        Assert.Equal([path], Directory.GetFiles(_directory, "*", SearchOption.AllDirectories));
        Assert.NotEqual(path, LibTorchSharpCompatibility.Keep([4], _directory));
    }

    [Fact]
    public void Processes_that_start_together_agree_on_the_copy()
    {
        var image = new byte[1 << 20];
        Random.Shared.NextBytes(image);
        Parallel.For(0, 32, _ => Assert.Equal(image, File.ReadAllBytes(LibTorchSharpCompatibility.Keep(image, _directory))));
        Assert.Single(Directory.GetFiles(_directory, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void A_missing_folder_is_named()
    {
        var missing = Path.Combine(_directory, "lib");
        var e = Assert.Throws<LibTorchLoadException>(() => LibTorchLoader.Load(missing, NativeLibraries.SearchDirectories()));
        Assert.Contains($"{LibTorch.EnvironmentVariable} names '{missing}', which is not a folder", e.Message);
    }

    [Fact]
    public void A_folder_without_LibTorch_is_named()
    {
        var e = Assert.Throws<LibTorchLoadException>(() => LibTorchLoader.Load(_directory, NativeLibraries.SearchDirectories()));
        Assert.Contains($"names '{_directory}', which has no {NativeLibraries.FileName("c10")}", e.Message);
    }

    [Fact]
    public void A_missing_TorchSharp_library_is_named()
    {
        var e = Assert.Throws<LibTorchLoadException>(() => LibTorchLoader.Load(null, [_directory]));
        Assert.Contains(NativeLibraries.FileName("LibTorchSharp"), e.Message);
        Assert.Contains(_directory, e.Message);
    }

    [Theory]
    [InlineData("x.so: undefined symbol: _ZN2at4_ops3addE", "another version of LibTorch")]
    [InlineData("/lib/libstdc++.so.6: version `GLIBCXX_3.4.29' not found (required by x.so)", "too old")]
    [InlineData("libcudart.so.12: cannot open shared object file: No such file or directory", "LD_LIBRARY_PATH")]
    [InlineData("x.so: invalid ELF header", "damaged or for another architecture")]
    [InlineData("x.so: failed to map segment from shared object", "noexec")]
    [InlineData("something else", "check that the folder holds a complete LibTorch")]
    public void The_loaders_message_is_quoted_with_a_remedy(string error, string remedy)
    {
        var message = LoadErrors.Explain("/x/x.so", error);
        Assert.StartsWith($"Cannot load /x/x.so: {error}; ", message);
        Assert.Contains(remedy, message);
    }

    [Theory]
    [InlineData("--ensure")]
    [InlineData("--no-ensure")]
    public void The_environment_variable_names_the_LibTorch_that_is_loaded(string how)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Folders of links, and /proc.");
        var bundled = NativeLibraries.FindDirectory(NativeLibraries.SearchDirectories(), "torch_cpu")!;
        foreach (var file in Directory.GetFiles(bundled, "lib*.so*").Where(file => !file.Contains("LibTorchSharp")))
            File.Copy(file, Path.Combine(_directory, Path.GetFileName(file)));

        var (exitCode, output) = RunProbe(_directory, how);
        Assert.True(exitCode == 0, output);
        Assert.Contains("sum 6\n", output);
        // The application brings a LibTorch of its own, in the runtime's search path, that must not be loaded beside this one.
        foreach (var file in new[] { "libc10.so", "libtorch_cpu.so", "libtorch.so" })
        {
            Assert.Contains($"mapped {Path.Combine(_directory, file)}\n", output);
            Assert.DoesNotContain($"mapped {Path.Combine(bundled, file)}\n", output);
        }
    }

    [Fact]
    public void An_unusable_folder_is_reported_by_TorchSharps_first_use()
    {
        var missing = Path.Combine(_directory, "nowhere");
        var (exitCode, output) = RunProbe(missing, "--no-ensure");
        Assert.True(exitCode == 3, output);
        Assert.Contains($"LibTorchLoadException {LibTorch.EnvironmentVariable} names '{missing}'", output);
    }

    private static (int ExitCode, string Output) RunProbe(string folder, string how)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment[LibTorch.EnvironmentVariable] = folder;
        start.Environment[LibTorchProbe.Switch] = how;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + error.Result);
    }
}
