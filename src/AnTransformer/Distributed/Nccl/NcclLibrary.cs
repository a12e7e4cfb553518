using System.Runtime.InteropServices;

namespace AnTransformer.Distributed.Nccl;

/// <summary>The id that ranks find each other by; NCCL takes it by value.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NcclUniqueId
{
    /// <summary>Its size.</summary>
    public const int Size = 128;

    private fixed byte _bytes[Size];

    /// <summary>Its bytes.</summary>
    public Span<byte> Bytes => MemoryMarshal.CreateSpan(ref _bytes[0], Size);
}

/// <summary>
/// The functions of NCCL (nccl.h 2.x) that training needs, loaded when a job needs them. No binding for .NET is kept
/// up.
/// </summary>
internal sealed unsafe class NcclLibrary
{
    /// <summary>The variable that names the library's file; PyTorch's wheel has it in nvidia/nccl/lib.</summary>
    public const string Variable = "ANTRANSFORMER_NCCL";

    private const string File = "libnccl.so.2";

    /// <summary>Binds functions.</summary>
    /// <param name="function">Finds one by name.</param>
    public NcclLibrary(Func<string, nint> function)
    {
        GetUniqueId = (delegate* unmanaged<NcclUniqueId*, int>)function("ncclGetUniqueId");
        CommInitRank = (delegate* unmanaged<nint*, int, NcclUniqueId, int, int>)function("ncclCommInitRank");
        AllReduce = (delegate* unmanaged<void*, void*, nuint, int, int, nint, nint, int>)function("ncclAllReduce");
        GetAsyncError = (delegate* unmanaged<nint, int*, int>)function("ncclCommGetAsyncError");
        CommAbort = (delegate* unmanaged<nint, int>)function("ncclCommAbort");
        CommDestroy = (delegate* unmanaged<nint, int>)function("ncclCommDestroy");
        GetErrorString = (delegate* unmanaged<int, nint>)function("ncclGetErrorString");
    }

    public delegate* unmanaged<NcclUniqueId*, int> GetUniqueId { get; }

    public delegate* unmanaged<nint*, int, NcclUniqueId, int, int> CommInitRank { get; }

    public delegate* unmanaged<void*, void*, nuint, int, int, nint, nint, int> AllReduce { get; }

    public delegate* unmanaged<nint, int*, int> GetAsyncError { get; }

    public delegate* unmanaged<nint, int> CommAbort { get; }

    public delegate* unmanaged<nint, int> CommDestroy { get; }

    public delegate* unmanaged<int, nint> GetErrorString { get; }

    /// <summary>Loads the library.</summary>
    /// <exception cref="InvalidInputException">There is none.</exception>
    public static NcclLibrary Load()
    {
        var named = Environment.GetEnvironmentVariable(Variable);
        var name = string.IsNullOrEmpty(named) ? File : named;
        if (!NativeLibrary.TryLoad(name, out var library))
        {
            throw new InvalidInputException(
                $"{Printable.Excerpt(name)}: NCCL cannot be loaded, which several GPUs need; name the file of its "
                    + $"library in {Variable} (PyTorch has it as nvidia/nccl/lib/{File}).");
        }

        try
        {
            return new NcclLibrary(function => NativeLibrary.GetExport(library, function));
        }
        catch (EntryPointNotFoundException e)
        {
            throw new InvalidInputException(
                $"{Printable.Excerpt(name)}: is not NCCL 2 ({Printable.Excerpt(e.Message)}); name another library in "
                    + $"{Variable}.", e);
        }
    }
}
