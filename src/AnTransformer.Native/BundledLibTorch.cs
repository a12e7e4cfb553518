namespace AnTransformer.Native;

/// <summary>
/// Keeps TorchSharp from loading the LibTorch that the application brings when the user names another one: two in one
/// process crash it.
/// </summary>
/// <remarks>
/// TorchSharp asks the runtime for <c>torch_cpu</c>, <c>torch_cuda</c> and <c>LibTorchSharp</c> by name, and the
/// runtime looks into the application's folders before it asks any handler. It tries <c>torch_cpu.so</c> everywhere,
/// the system's loader included, before <c>libtorch_cpu.so</c>, though: libraries of the first names that are loaded
/// already end that search. The calls themselves then go through the resolver of P/Invokes, which comes first.
/// </remarks>
internal static class BundledLibTorch
{
    private static readonly string[] Names = ["torch_cpu", "torch_cuda", "LibTorchSharp"];

    /// <summary>The application's own LibTorch that is not the chosen one, or null.</summary>
    /// <param name="chosen">The folder that the user named.</param>
    /// <param name="directories">The runtime's search folders.</param>
    public static string? Find(string chosen, IEnumerable<string> directories) =>
        NativeLibraries.FindDirectory(directories, "torch_cpu") is { } bundled && Path.GetFullPath(bundled) != chosen
            ? Path.Combine(bundled, NativeLibraries.FileName("torch_cpu"))
            : null;

    /// <summary>Loads an empty library under each of the names (Linux).</summary>
    /// <exception cref="LibTorchLoadException">The temporary folder does not take or run them.</exception>
    public static void Hide()
    {
        try
        {
            var folder = Directory.CreateTempSubdirectory("antransformer-");
            try
            {
                foreach (var name in Names)
                {
                    var path = Path.Combine(folder.FullName, name + ".so");
                    File.WriteAllBytes(path, ElfAlias.Create(name + ".so"));
                    if (!DynamicLoader.TryLoad(path, DynamicLoader.Binding.Lazy, out _, out var error))
                        throw new LibTorchLoadException(LoadErrors.Explain(path, error));
                }
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LibTorchLoadException(
                $"{LibTorch.EnvironmentVariable} needs a writable temporary folder beside the application's own "
                    + "LibTorch: "
                + $"{e.Message.TrimEnd('.')}; set TMPDIR to one, or build with -p:LibTorchBackend=none.", e);
        }
    }
}
