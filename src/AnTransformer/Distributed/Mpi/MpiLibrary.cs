using System.Runtime.InteropServices;

namespace AnTransformer.Distributed.Mpi;

/// <summary>
/// The functions of an MPI library of this machine, loaded when a job needs them: Open MPI, MPICH or Intel MPI. NuGet's
/// MPI.NET binds at build time to one of them and has had no release for this runtime, so these few are bound here.
/// </summary>
internal sealed unsafe class MpiLibrary
{
    /// <summary>The variable that names the library's file.</summary>
    public const string Variable = "ANTRANSFORMER_MPI";

    private static readonly string[] OpenMpi = ["libmpi.so.40", "libmpi.so"];
    private static readonly string[] Mpich = ["libmpich.so.12", "libmpi.so.12", "libmpi.so"];
    private readonly nint _library;

    private MpiLibrary(nint library, string name)
    {
        (_library, Name) = (library, name);
        IsOpenMpi = NativeLibrary.TryGetExport(library, "ompi_mpi_comm_world", out var world);
        // Open MPI's handles are addresses of its objects, MPICH's are numbers of its interface.
        World = IsOpenMpi ? world : 0x44000000;
        Bytes = IsOpenMpi ? NativeLibrary.GetExport(library, "ompi_mpi_byte") : 0x4c00010d;
        IgnoredStatus = IsOpenMpi ? 0 : 1;
        Init = (delegate* unmanaged<int*, byte***, int, int*, int>)Function("MPI_Init_thread");
        Finish = (delegate* unmanaged<int>)Function("MPI_Finalize");
        CommRank = (delegate* unmanaged<nint, int*, int>)Function("MPI_Comm_rank");
        CommSize = (delegate* unmanaged<nint, int*, int>)Function("MPI_Comm_size");
        Test = (delegate* unmanaged<nint*, int*, nint, int>)Function("MPI_Test");
        AllToAll = (delegate* unmanaged<void*, int, nint, void*, int, nint, nint, nint*, int>)Function("MPI_Ialltoall");
        AllGather
            = (delegate* unmanaged<void*, int, nint, void*, int, nint, nint, nint*, int>)Function("MPI_Iallgather");
        Broadcast = (delegate* unmanaged<void*, int, nint, int, nint, nint*, int>)Function("MPI_Ibcast");
        Abort = (delegate* unmanaged<nint, int, int>)Function("MPI_Abort");
    }

    public string Name { get; }

    public bool IsOpenMpi { get; }

    public nint World { get; }

    public nint Bytes { get; }

    public nint IgnoredStatus { get; }

    public delegate* unmanaged<int*, byte***, int, int*, int> Init { get; }

    public delegate* unmanaged<int> Finish { get; }

    public delegate* unmanaged<nint, int*, int> CommRank { get; }

    public delegate* unmanaged<nint, int*, int> CommSize { get; }

    public delegate* unmanaged<nint*, int*, nint, int> Test { get; }

    public delegate* unmanaged<void*, int, nint, void*, int, nint, nint, nint*, int> AllToAll { get; }

    public delegate* unmanaged<void*, int, nint, void*, int, nint, nint, nint*, int> AllGather { get; }

    public delegate* unmanaged<void*, int, nint, int, nint, nint*, int> Broadcast { get; }

    public delegate* unmanaged<nint, int, int> Abort { get; }

    /// <summary>Loads the library whose launcher started this process.</summary>
    /// <exception cref="InvalidInputException">There is none.</exception>
    public static MpiLibrary Load()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
        {
            return NativeLibrary.TryLoad(named, out var library)
                ? Of(library, named)
                : throw new InvalidInputException(
                    $"{Variable}={Printable.Excerpt(named)}: cannot be loaded; name the file of an MPI library, such "
                        + "as libmpi.so.40.");
        }

        // A library that did not start the job would find itself alone.
        var isMpich = Environment.GetEnvironmentVariable("PMI_RANK") is not null
            && Environment.GetEnvironmentVariable("OMPI_COMM_WORLD_RANK") is null;
        foreach (var name in isMpich ? [.. Mpich, .. OpenMpi] : (string[])[.. OpenMpi, .. Mpich])
        {
            if (NativeLibrary.TryLoad(name, out var library))
                return Of(library, name);
        }

        throw new InvalidInputException(
            "no MPI library is installed here, which a job of several processes needs; install one "
                + "(apt-get install openmpi-bin), name its file in "
            + $"{Variable}, or use --distributed none.");
    }

    private static MpiLibrary Of(nint library, string name)
    {
        try
        {
            return new MpiLibrary(library, name);
        }
        catch (EntryPointNotFoundException e)
        {
            throw new InvalidInputException(
                $"{Printable.Excerpt(name)}: is no MPI library ({Printable.Excerpt(e.Message)}); name another in "
                    + $"{Variable}.", e);
        }
    }

    private nint Function(string name) => NativeLibrary.GetExport(_library, name);
}
