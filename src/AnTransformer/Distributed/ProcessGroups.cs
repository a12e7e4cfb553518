using AnTransformer.Distributed.Mpi;

namespace AnTransformer.Distributed;

/// <summary>Joins the job that a launcher has started this process in.</summary>
public static class ProcessGroups
{
    /// <summary>The group of this process, to be disposed at the end.</summary>
    /// <param name="backend">What connects the processes.</param>
    /// <exception cref="InvalidInputException">
    /// It was not started by a launcher of that kind, there is no MPI library, or the backend is not there.
    /// </exception>
    public static ProcessGroup Join(DistributedBackend backend)
    {
        if (backend == DistributedBackend.None)
            return ProcessGroup.Single;
        if (backend == DistributedBackend.Nccl)
        {
            throw new InvalidInputException(
                "--distributed nccl is not there yet: processes are connected by MPI and compute on the CPU; use "
                    + "--distributed mpi with --device cpu.");
        }

        var launched = LaunchEnvironment.Find(Environment.GetEnvironmentVariable);
        if (launched is { Size: > 1 })
            return new TransportGroup(() => new MpiTransport(launched));
        return backend == DistributedBackend.Auto || launched is not null
            ? ProcessGroup.Single
            : throw new InvalidInputException(
                "--distributed mpi needs a launcher that starts the processes; use `mpirun -n 4 angpt train` or "
                    + "`angpt launch -n 4 -- train`.");
    }
}
