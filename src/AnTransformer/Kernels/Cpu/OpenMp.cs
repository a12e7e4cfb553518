using System.Runtime.InteropServices;
using AnTransformer.Native;

namespace AnTransformer.Kernels.Cpu;

/// <summary>Finds the OpenMP runtime that LibTorch has loaded.</summary>
internal static class OpenMp
{
    /// <summary>Address of <c>GOMP_parallel</c> in the libgomp that LibTorch uses, or 0 where it uses none.</summary>
    public static nint FindParallel() => Find("GOMP_parallel");

    /// <summary>Address of <c>omp_get_thread_num</c> in the same library.</summary>
    public static nint FindThreadNumber() => Find("omp_get_thread_num");

    private static nint Find(string function)
    {
        if (!OperatingSystem.IsLinux())
            return 0;
        LibTorch.EnsureLoaded();
        // Wheels and packages carry a copy under a name with a hash. A second libgomp, for example the system's, would
        // have a team of its own, so the one that is mapped already is taken.
        var mapped = File.ReadLines("/proc/self/maps")
            .Select(line => line.IndexOf('/') is >= 0 and var slash ? line[slash..] : "")
            .Where(path => Path.GetFileName(path).StartsWith("libgomp", StringComparison.Ordinal))
            .Distinct(StringComparer.Ordinal)
            .ToList();
        return mapped.Count == 1 && NativeLibrary.TryLoad(mapped[0], out var library)
            && NativeLibrary.TryGetExport(library, function, out var address)
            ? address
            : 0;
    }
}
