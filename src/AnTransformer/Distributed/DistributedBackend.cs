namespace AnTransformer.Distributed;

/// <summary>What connects the processes of a job.</summary>
public enum DistributedBackend
{
    /// <summary>MPI, or NCCL for GPUs, where a launcher has started several processes; otherwise nothing.</summary>
    Auto,

    /// <summary>Nothing: a process trains alone, whoever else was started.</summary>
    None,

    /// <summary>MPI.</summary>
    Mpi,

    /// <summary>NCCL, between GPUs.</summary>
    Nccl,
}
