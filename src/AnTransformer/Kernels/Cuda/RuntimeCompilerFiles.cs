using AnTransformer.Native;

namespace AnTransformer.Kernels.Cuda;

/// <summary>
/// Where NVRTC may be: beside the LibTorch or PyTorch that the user names, in pip's packages beside that, on the
/// system.
/// </summary>
internal static class RuntimeCompilerFiles
{
    /// <summary>
    /// Candidates in order of preference: full paths of files that exist, then names for the system's search.
    /// </summary>
    /// <param name="libTorch">The LibTorch or PyTorch <c>lib</c> folder, or null.</param>
    public static IEnumerable<string> Candidates(string? libTorch)
        => (libTorch is null ? [] : Folders(libTorch).SelectMany(Files)).Concat(SystemNames());

    /// <summary>The folder that the user names, if any.</summary>
    public static string? ChosenFolder()
        => Environment.GetEnvironmentVariable(LibTorch.EnvironmentVariable) is { } value
            && !string.IsNullOrWhiteSpace(value)
            ? Path.GetFullPath(value)
            : null;

    // site-packages/torch/lib has site-packages/nvidia/... beside it: cu13/lib since CUDA 13, cuda_nvrtc/lib before.
    private static IEnumerable<string> Folders(string libTorch)
    {
        yield return libTorch;
        var packages = Path.Combine(libTorch, "..", "..", "nvidia");
        foreach (var package in new[] { "cu13", "cu12", "cuda_nvrtc" })
        {
            foreach (var folder in new[] { "lib", "bin", Path.Combine("bin", "x86_64") })
                yield return Path.GetFullPath(Path.Combine(packages, package, folder));
        }
    }

    // libnvrtc.so.12, LibTorch's own libnvrtc-HASH.so.12 and nvrtc64_120_0.dll, but not the library that it loads
    // itself.
    private static IEnumerable<string> Files(string folder)
    {
        if (!Directory.Exists(folder))
            return [];
        try
        {
            return Directory.EnumerateFiles(folder).Where(path =>
            {
                var name = Path.GetFileName(path);
                var isCompiler = OperatingSystem.IsWindows()
                    ? name.StartsWith("nvrtc64_", StringComparison.OrdinalIgnoreCase)
                        && name.EndsWith(".dll", StringComparison.OrdinalIgnoreCase)
                    : name.StartsWith("libnvrtc", StringComparison.Ordinal)
                        && name.Contains(".so", StringComparison.Ordinal);
                return isCompiler && !name.Contains("builtins", StringComparison.Ordinal)
                    && !name.Contains(".alt.", StringComparison.Ordinal);
            }).OrderDescending(StringComparer.Ordinal).ToArray();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static IEnumerable<string> SystemNames()
        => OperatingSystem.IsWindows()
            ? ["nvrtc64_130_0.dll", "nvrtc64_120_0.dll"]
            : ["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"];
}
