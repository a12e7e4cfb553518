using System.Runtime.InteropServices;

namespace AnTransformer.Distributed.Mpi;

/// <summary>
/// MPI's collective operations. A blocking one would spin on a core that the backward pass computes on, so they are
/// begun and asked for between short sleeps.
/// </summary>
internal sealed unsafe partial class MpiTransport : ITransport
{
    private const int Funneled = 1;     // MPI_THREAD_FUNNELED: calls from the thread that initialized
    private const int SpinTests = 50;
    private const int NoAbort = int.MinValue;
    private static readonly string[] OpenMpiVariables = ["OMPI_COMM_WORLD_RANK", "PMIX_RANK"];
    private readonly MpiLibrary _mpi;
    private volatile int _abort = NoAbort;

    /// <summary>Joins the job that this process was started in.</summary>
    /// <param name="expected">What the launcher said of it.</param>
    /// <exception cref="InvalidInputException">
    /// There is no MPI library, or it does not find the other processes.
    /// </exception>
    public MpiTransport(LaunchEnvironment expected)
    {
        _mpi = MpiLibrary.Load();
        if (_mpi.IsOpenMpi && !OpenMpiVariables.Any(name => Environment.GetEnvironmentVariable(name) is not null))
        {
            // Its initialization would end this process with a page of text.
            throw new InvalidInputException(
                $"{_mpi.Name} is Open MPI, which {expected.Launcher} has not told where the other processes are; use "
                    + "Open "
                    + $"MPI's mpirun or `srun --mpi=pmix`, or name the launcher's library in {MpiLibrary.Variable}.");
        }

        int provided, rank, size;
        Check(_mpi.Init(null, null, Funneled, &provided), "MPI_Init_thread");
        Check(_mpi.CommRank(_mpi.World, &rank), "MPI_Comm_rank");
        Check(_mpi.CommSize(_mpi.World, &size), "MPI_Comm_size");
        (Rank, Size) = (rank, size);
        if (size != expected.Size)
        {
            throw new InvalidInputException(
                $"{_mpi.Name} finds {size} of the {expected.Size} processes that {expected.Launcher} has started, so "
                    + $"it is another library than the launcher's; name the launcher's in {MpiLibrary.Variable}.");
        }
    }

    /// <inheritdoc/>
    public int Rank { get; }

    /// <inheritdoc/>
    public int Size { get; }

    /// <inheritdoc/>
    public void AllToAll(byte* send, byte* receive, int bytes)
    {
        nint request = 0;
        Check(
            _mpi.AllToAll(send, bytes, _mpi.Bytes, receive, bytes, _mpi.Bytes, _mpi.World, &request), "MPI_Ialltoall");
        Wait(&request);
    }

    /// <inheritdoc/>
    public void AllGather(byte* send, byte* receive, int bytes)
    {
        nint request = 0;
        Check(
            _mpi.AllGather(send, bytes, _mpi.Bytes, receive, bytes, _mpi.Bytes, _mpi.World, &request),
            "MPI_Iallgather");
        Wait(&request);
    }

    /// <inheritdoc/>
    public void Broadcast(byte* data, int bytes)
    {
        nint request = 0;
        Check(_mpi.Broadcast(data, bytes, _mpi.Bytes, 0, _mpi.World, &request), "MPI_Ibcast");
        Wait(&request);
    }

    /// <inheritdoc/>
    public void Abort(int exitCode) => _abort = exitCode;

    /// <inheritdoc/>
    public void AbortIfAsked()
    {
        if (_abort != NoAbort)
            _mpi.Abort(_mpi.World, _abort);
    }

    /// <inheritdoc/>
    public void Dispose() => _mpi.Finish();

    private void Wait(nint* request)
    {
        for (var tests = 0; ; tests++)
        {
            int isDone;
            Check(_mpi.Test(request, &isDone, _mpi.IgnoredStatus), "MPI_Test");
            if (isDone != 0)
                return;
            AbortIfAsked();
            if (tests < SpinTests)
                Thread.Yield();
            else if (OperatingSystem.IsWindows())
                Thread.Sleep(1);
            else
                _ = Sleep(50);
        }
    }

    private static void Check(int code, string function)
    {
        // The library's own error handler ends the job before this, unless somebody has changed it.
        if (code != 0)
            throw new IOException($"{function} failed with code {code}; the job cannot go on.");
    }

    [LibraryImport("libc", EntryPoint = "usleep")]
    private static partial int Sleep(uint microseconds);
}
