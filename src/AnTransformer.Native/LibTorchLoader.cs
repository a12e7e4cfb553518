namespace AnTransformer.Native;

/// <summary>
/// Loads LibTorch and TorchSharp's native library in the order of their dependencies, so that whatever TorchSharp asks
/// the system for later is there already under its soname.
/// </summary>
internal static class LibTorchLoader
{
    // What each later library depends on; the second field says whether LibTorch is whole without it.
    private static readonly (string Name, bool Optional)[] Libraries =
        [("c10", false), ("torch_cpu", false), ("c10_cuda", true), ("torch_cuda", true), ("c10_hip", true),
            ("torch_hip", true),
         ("torch", false)];

    /// <summary>What was loaded: the handles are never released.</summary>
    /// <param name="Info">The public part.</param>
    /// <param name="TorchCpu">Handle of <c>torch_cpu</c>.</param>
    /// <param name="TorchCuda">Handle of <c>torch_cuda</c>, or 0.</param>
    /// <param name="LibTorchSharp">Handle of TorchSharp's native library.</param>
    internal sealed record Handles(LibTorchInfo Info, nint TorchCpu, nint TorchCuda, nint LibTorchSharp);

    /// <summary>Loads everything.</summary>
    /// <param name="chosen">
    /// The LibTorch folder that the user named, or null to take the one among the directories.
    /// </param>
    /// <param name="directories">Where the packages' native libraries may lie.</param>
    /// <exception cref="LibTorchLoadException">Something is missing or does not fit.</exception>
    public static Handles Load(string? chosen, IReadOnlyList<string> directories)
    {
        IReadOnlyList<string> places = chosen is null ? directories : [.. directories, chosen];
        var sharpDirectory = NativeLibraries.FindDirectory(places, "LibTorchSharp")
            ?? throw new LibTorchLoadException(MissingLibTorchSharp(directories));
        var folder = FindLibTorch(chosen, directories);
        if (chosen is not null)
        {
            // As PyTorch does: OpenMP and the CUDA libraries are shared with whatever is loaded later. Where it fails,
            // the libraries below find their own, or say better what is missing.
            var shared = Path.Combine(chosen, NativeLibraries.FileName("torch_global_deps"));
            if (File.Exists(shared))
                DynamicLoader.TryLoad(shared, DynamicLoader.Binding.Lazy | DynamicLoader.Binding.Global, out _, out _);
        }

        var loaded = new Dictionary<string, nint>();
        foreach (var (name, optional) in Libraries)
        {
            var file = NativeLibraries.FileName(name);
            var path = folder is null ? file : Path.Combine(folder, file);
            if (optional && (folder is null || !File.Exists(path)))
                continue;
            if (folder is not null && OperatingSystem.IsLinux() && ElfFile.Problem(path) is { } problem)
                throw new LibTorchLoadException(LoadErrors.Explain(path, problem));
            if (!DynamicLoader.TryLoad(path, DynamicLoader.Binding.Lazy, out var handle, out var error))
            {
                throw new LibTorchLoadException(
                    folder is null ? MissingLibTorch(directories) : LoadErrors.Explain(path, error));
            }

            loaded[name] = handle;
        }

        var original = Path.Combine(sharpDirectory, NativeLibraries.FileName("LibTorchSharp"));
        var (sharp, isCopy, undefined) = LoadLibTorchSharp(original);
        var cuda = loaded.GetValueOrDefault("torch_cuda", loaded.GetValueOrDefault("torch_hip"));
        return new Handles(
            new LibTorchInfo(folder, original, isCopy, cuda != 0, undefined), loaded["torch_cpu"], cuda, sharp);
    }

    private static (nint Handle, bool IsCopy, string? Undefined) LoadLibTorchSharp(string original)
    {
        if (OperatingSystem.IsLinux() && ElfFile.Problem(original) is { } problem)
            throw new LibTorchLoadException(LoadErrors.Explain(original, problem));
        if (DynamicLoader.TryLoadBound(original, out var handle, out var undefined, out var error))
            return (handle, false, undefined);

        if (OperatingSystem.IsLinux() && LibTorchSharpCompatibility.MissingVersion(error) is { } missing)
        {
            if (LibTorchSharpCompatibility.TryLoadCopy(original, missing, out handle, out undefined, out var copyError))
                return (handle, true, undefined);
            error += "; a copy without that need: " + copyError;
        }

        throw new LibTorchLoadException(LoadErrors.Explain(original, error));
    }

    private static string? FindLibTorch(string? chosen, IReadOnlyList<string> directories)
    {
        if (chosen is null)
            return NativeLibraries.FindDirectory(directories, "torch_cpu");
        if (!Directory.Exists(chosen))
        {
            throw new LibTorchLoadException(
                $"{LibTorch.EnvironmentVariable} names '{chosen}', which is not a folder; give the `lib` folder of "
                    + "LibTorch or "
                + "PyTorch, or unset the variable.");
        }

        foreach (var (name, optional) in Libraries)
        {
            if (!optional && !File.Exists(Path.Combine(chosen, NativeLibraries.FileName(name))))
            {
                throw new LibTorchLoadException(
                    $"{LibTorch.EnvironmentVariable} names '{chosen}', which has no {NativeLibraries.FileName(name)}; "
                        + "give the "
                    + "`lib` folder of LibTorch or PyTorch (for PyTorch: site-packages/torch/lib), or unset the "
                    + "variable.");
            }
        }

        return chosen;
    }

    private static string MissingLibTorchSharp(IReadOnlyList<string> directories)
    {
        var file = NativeLibraries.FileName("LibTorchSharp");
        return NativeLibraries.RuntimeIdentifier is "linux-x64" or "osx-arm64" or "win-x64" or "win-arm64"
            ? $"{file} of the package TorchSharp is in none of {string.Join(", ", directories)}; publish the "
                + "application with "
                + "its native libraries beside it, or inside it with IncludeNativeLibrariesForSelfExtract."
            : $"TorchSharp has no native library for {NativeLibraries.RuntimeIdentifier} ({file}); run on linux-x64, "
                + "osx-arm64, win-x64 or win-arm64.";
    }

    private static string MissingLibTorch(IReadOnlyList<string> directories) =>
        $"LibTorch ({NativeLibraries.FileName("torch_cpu")}) is in none of {string.Join(", ", directories)}; reference "
            + "a "
        + $"package such as libtorch-cpu-{NativeLibraries.RuntimeIdentifier} or TorchSharp-cuda-linux, or set "
        + $"{LibTorch.EnvironmentVariable} to the `lib` folder of LibTorch or PyTorch {LoadErrors.LibTorchVersion}.";
}
