using AnTransformer.Distributed.Mpi;
using AnTransformer.Distributed.Nccl;

namespace AnTransformer.Distributed;

/// <summary>Joins the job that a launcher has started this process in.</summary>
public static class ProcessGroups
{
    /// <summary>The group of this process, to be disposed at the end.</summary>
    /// <param name="backend">What connects the processes.</param>
    /// <exception cref="InvalidInputException">
    /// It was not started by a launcher of that kind, there is no MPI library, or the backend is not there.
    /// </exception>
    /// <param name="onCuda">Whether the processes compute on GPUs, one each.</param>
    public static ProcessGroup Join(DistributedBackend backend, bool onCuda = false)
    {
        if (backend == DistributedBackend.None)
            return ProcessGroup.Single;
        if (backend == DistributedBackend.Nccl && !onCuda)
        {
            throw new InvalidInputException(
                "--distributed nccl connects GPUs, and --device is cpu; use --device cuda, or --distributed mpi.");
        }

        if (backend == DistributedBackend.Mpi && onCuda)
        {
            throw new InvalidInputException(
                "--distributed mpi sums gradients in the CPU's memory; use --distributed nccl with --device cuda.");
        }

        var launched = LaunchEnvironment.Find(Environment.GetEnvironmentVariable);
        if (launched is { Size: > 1 } && onCuda)
        {
            // Before CUDA counts them.
            VisibleDevice.Choose();
            var nccl = NcclLibrary.Load();
            return new NcclGroup(new TransportGroup(() => new MpiTransport(launched)), nccl);
        }

        if (launched is { Size: > 1 })
            return new TransportGroup(() => new MpiTransport(launched));
        return backend == DistributedBackend.Auto || launched is not null
            ? ProcessGroup.Single
            : throw new InvalidInputException(
                $"--distributed {(onCuda ? "nccl" : "mpi")} needs a launcher that starts the processes; use `mpirun "
                    + "-n 4 angpt train` or `angpt launch -n 4 -- train`.");
    }
}
