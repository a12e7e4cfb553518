namespace AnTransformer.Distributed;

/// <summary>What a launcher told this process of its place in a job, by environment variables.</summary>
/// <param name="Rank">This process's number.</param>
/// <param name="Size">Number of processes.</param>
/// <param name="Launcher">Who started it: <c>mpirun</c> or <c>srun</c>.</param>
public sealed record LaunchEnvironment(int Rank, int Size, string Launcher)
{
    // Open MPI's mpirun; MPICH's and Intel's; Slurm's, where PMIx or PMI is on.
    private static readonly (string Rank, string Size, string Launcher)[] Variables =
    [
        ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "mpirun"),
        ("PMI_RANK", "PMI_SIZE", "mpirun"),
        ("PMIX_RANK", "SLURM_STEP_NUM_TASKS", "srun"),
        ("PMIX_RANK", "SLURM_NTASKS", "srun"),
    ];

    /// <summary>The job that this process belongs to; null for one started by itself.</summary>
    /// <param name="variable">Reads a variable of the environment.</param>
    /// <exception cref="InvalidInputException">
    /// Slurm started several tasks without what MPI needs to find the others.
    /// </exception>
    public static LaunchEnvironment? Find(Func<string, string?> variable)
    {
        foreach (var (rank, size, launcher) in Variables)
        {
            if (int.TryParse(variable(rank), out var own) && int.TryParse(variable(size), out var all) && own >= 0
                && own < all)
                return new LaunchEnvironment(own, all, launcher);
        }

        // A batch script and a shell have the number of tasks, too; only a task of a step has a step.
        if (variable("SLURM_STEP_ID") is not null && int.TryParse(variable("SLURM_STEP_NUM_TASKS"), out var tasks)
            && tasks > 1)
        {
            throw new InvalidInputException(
                $"srun has started {tasks} tasks that cannot find each other; use `srun --mpi=pmix` (it needs "
                    + $"libpmix-dev), or `salloc -n {tasks} mpirun`, or --distributed none for runs of their own.");
        }

        return null;
    }
}
