using System.ComponentModel;
using AnTransformer.Distributed;

namespace AnTransformer.Training.Configuration;

/// <summary>
/// The <c>distributed</c> section: several processes that train one model. Checkpoints do not depend on it.
/// </summary>
public sealed class DistributedSection : IValidatable
{
    /// <summary>What connects the processes.</summary>
    [Description("What connects the processes of a job: auto (mpi, or nccl with device cuda, where mpirun or srun has "
        + "started several), none, mpi or nccl.")]
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

    /// <summary>Whether processes share the optimizer's state.</summary>
    [Description("Whether each process keeps the optimizer's state of its share of the weights only, updates these and "
        + "gives them to all (ZeRO stage 1): less memory, as many bytes sent; checkpoints are the same.")]
    [MayChangeOnResume]
    public bool ShardOptimizer { get; set; }

    /// <summary>Steps between outer steps.</summary>
    [Description("Steps that each process takes by itself, on its share of the batch, before all of them meet (DiLoCo, "
        + "arXiv 2311.08105): for slow links. 1 to sum gradients in every step. Evaluations, checkpoints and stops "
        + "come where processes meet.")]
    [MayChangeOnResume]
    [InRange(1, 1 << 20)]
    public int SyncEvery { get; set; } = 1;

    /// <summary>Rate of the outer step.</summary>
    [Description("With sync_every: how far all go along the mean of their changes; 1 with an outer_momentum of 0 "
        + "takes the mean of their weights, and 0.7 with 0.9 is DiLoCo's step.")]
    [MayChangeOnResume]
    [InRange(0, 10)]
    public double OuterLearningRate { get; set; } = 1;

    /// <summary>Momentum of the outer step.</summary>
    [Description("With sync_every: Nesterov momentum of the outer step.")]
    [MayChangeOnResume]
    [InRange(0, 0.999)]
    public double OuterMomentum { get; set; }

    /// <inheritdoc/>
    public IEnumerable<ConfigurationProblem> Validate()
    {
        if (Deterministic && GradientDtype != GradientDtype.Fp32)
        {
            yield return new ConfigurationProblem(
                "distributed.deterministic needs distributed.gradient_dtype fp32: how often sums are rounded to bf16 "
                    + "depends on the number of processes; leave out one of the two",
                "deterministic",
                "gradient_dtype");
        }

        if (SyncEvery > 1 && (Deterministic || ShardOptimizer))
        {
            var other = Deterministic ? "deterministic" : "shard_optimizer";
            yield return new ConfigurationProblem(
                $"distributed.sync_every {SyncEvery} has every process train by itself, which distributed.{other} "
                    + "does not allow; leave out one of the two",
                "sync_every",
                other);
        }
    }
}
