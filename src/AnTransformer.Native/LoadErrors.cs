namespace AnTransformer.Native;

/// <summary>Turns what the system's loader says into a cause and a remedy.</summary>
internal static class LoadErrors
{
    /// <summary>The LibTorch version that the referenced TorchSharp was built for.</summary>
    public const string LibTorchVersion = "2.10";

    /// <summary>One sentence for a library that did not load.</summary>
    /// <param name="path">The library.</param>
    /// <param name="error">The loader's message (glibc's wording; others are quoted with the general remedy).</param>
    public static string Explain(string path, string error)
    {
        bool Says(string part) => error.Contains(part, StringComparison.OrdinalIgnoreCase);
        var remedy =
            Says("failed to map segment") || Says("Operation not permitted") || Says("cannot enable executable stack")
                ? "the system does not allow code to be loaded from there; move it to a file system mounted without "
                    + "noexec"
            : Says("undefined symbol")
                ? $"it belongs to another version of LibTorch; use {LibTorchVersion}, which TorchSharp was built for"
            : Says("version `GLIBC") || Says("version `CXXABI")
                ? "the system's C or C++ library is too old for it; use Debian 12, Ubuntu 22.04, RHEL 9 or a later "
                    + "system"
            : Says("wrong ELF class") || Says("invalid ELF header") || Says("file too short")
                || Says("incompatible architecture")
                ? $"the file is damaged or for another architecture; restore it for {NativeLibraries.RuntimeIdentifier}"
            : Says("cannot open shared object file") || Says("image not found")
                ? "a library that it needs is missing or for another architecture; install it or set LD_LIBRARY_PATH"
            : $"check that the folder holds a complete LibTorch {LibTorchVersion} for "
                + $"{NativeLibraries.RuntimeIdentifier}";
        return $"Cannot load {path}: {error.TrimEnd('.', '\n')}; {remedy}.";
    }
}
