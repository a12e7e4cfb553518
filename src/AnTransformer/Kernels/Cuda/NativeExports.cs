using System.Runtime.InteropServices;

namespace AnTransformer.Kernels.Cuda;

/// <summary>A library loaded at run time, and the addresses of its functions.</summary>
internal sealed class NativeExports
{
    private readonly nint _handle;
    private readonly string _path;

    private NativeExports(string path, nint handle) => (_path, _handle) = (path, handle);

    /// <summary>The first of some libraries that loads; it stays loaded.</summary>
    /// <param name="paths">Full paths, or names for the system's search.</param>
    /// <returns>Null where none loads.</returns>
    public static NativeExports? Load(params ReadOnlySpan<string> paths)
    {
        foreach (var path in paths)
        {
            if (NativeLibrary.TryLoad(path, out var handle))
                return new NativeExports(path, handle);
        }

        return null;
    }

    /// <summary>A function's address.</summary>
    /// <param name="name">Its exported name.</param>
    /// <exception cref="CudaUnavailableException">The library has no such function.</exception>
    public nint Required(string name)
        => Optional(name) is var address and not 0
            ? address
            : throw new CudaUnavailableException(
                $"{_path} has no function {name}; it is too old or not what its name says");

    /// <summary>A function's address, or 0.</summary>
    /// <param name="name">Its exported name.</param>
    public nint Optional(string name) => NativeLibrary.TryGetExport(_handle, name, out var address) ? address : 0;
}
