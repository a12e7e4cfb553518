using System.ComponentModel;
using AnTransformer.Distributed;

namespace AnTransformer.Training.Configuration;

/// <summary>
/// The <c>distributed</c> section: several processes that train one model. Checkpoints do not depend on it.
/// </summary>
public sealed class DistributedSection
{
    /// <summary>What connects the processes.</summary>
    [Description("What connects the processes of a job: auto (mpi where mpirun or srun has started several), none, mpi "
        + "or nccl (not there yet).")]
    [MayChangeOnResume]
    public DistributedBackend Backend { get; set; }

    /// <summary>In what gradients travel.</summary>
    [Description("In what gradients travel between processes: fp32, or bf16 for half the bytes; sums are in fp32.")]
    [MayChangeOnResume]
    public GradientDtype GradientDtype { get; set; }

    /// <summary>Whether sums are the same with any power of two of processes.</summary>
    [Description("Whether 1, 2, 4 ... processes get the same bits: micro-batches are summed in one binary tree, and "
        + "sent when all are done.")]
    [MayChangeOnResume]
    public bool Deterministic { get; set; }
}
