namespace AnTransformer.Cli.Tests;

/// <summary>Jobs and arrays of jobs under Slurm, where a cluster is up (<c>tests/start-slurm.sh</c>).</summary>
public sealed class SlurmTests : IDisposable
{
    private readonly Angpt _angpt = new();

    public SlurmTests()
    {
        Assert.SkipUnless(Angpt.Succeeds("sinfo -h | grep -q ."), "no Slurm cluster is up (tests/start-slurm.sh makes one)");
        _angpt.Variables["TERM"] = "dumb";
        // What mpirun's --allow-run-as-root says.
        _angpt.Variables["OMPI_ALLOW_RUN_AS_ROOT"] = "1";
        _angpt.Variables["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1";
    }

    [Fact]
    public void Tasks_without_pmix_are_refused_once_each_and_an_allocation_trains()
    {
        var refused = Srun("none", "run");
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("use `srun --mpi=pmix`", refused.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", refused.Error, StringComparison.Ordinal);

        _angpt.Train("--training.output", "alone").AssertSucceeded();
        var train = string.Join(' ', Angpt.TrainArguments("--training.output", "allocated"));
        _angpt.Shell($"salloc -n 2 --overcommit mpirun --oversubscribe $angpt {train}").AssertSucceeded();
        _angpt.AssertSameLosses("alone", "allocated");
    }

    [Fact]
    public void Tasks_with_pmix_train_what_one_process_does()
    {
        Assert.SkipUnless(Angpt.Succeeds("srun -n 1 --overcommit --mpi=pmix true"), "srun has no pmix (libpmix-dev)");
        _angpt.Train("--training.output", "alone").AssertSucceeded();
        Srun("pmix", "both").AssertSucceeded();
        _angpt.AssertSameLosses("alone", "both");
    }

    [Fact]
    public void An_array_of_jobs_shares_a_study()
    {
        File.WriteAllText(_angpt.In("study.yaml"), """
            base:
              model: {hidden_size: 32, num_attention_heads: 2, num_hidden_layers: 1, max_position_embeddings: 32}
              data: {text: [corpus.txt], path: data, section_bytes: 512, validation_fraction: 0.2}
              tokenizer: {vocab_size: 300}
              training: {max_tokens: 768, batch_size: 4, threads: 1}
              evaluation: {interval: 2, batches: 2}
            fields: ["optimizer.learning_rate=1e-3,2e-3"]
            seeds: [1, 2]

            """);
        File.WriteAllText(_angpt.In("study.sbatch"), """
            #!/bin/sh
            #SBATCH --array=0-2
            #SBATCH --overcommit
            #SBATCH --output=study-%a.log
            $angpt sweep study.yaml --output study

            """);
        _angpt.Shell("sbatch --wait study.sbatch").AssertSucceeded();
        Assert.Equal(1 + 4, File.ReadLines(_angpt.In("study", "runs.csv")).Count());
        Assert.Equal(4, Directory.GetFiles(_angpt.In("study"), "claim.*", SearchOption.AllDirectories).Length);
        Assert.All(
            Enumerable.Range(0, 3),
            index => Assert.Contains("report  study", File.ReadAllText(_angpt.In($"study-{index}.log")), StringComparison.Ordinal));
    }

    public void Dispose() => _angpt.Dispose();

    private Angpt.Result Srun(string mpi, string output)
        => _angpt.Shell($"srun -n 2 --overcommit --mpi={mpi} $angpt "
            + string.Join(' ', Angpt.TrainArguments("--training.output", output)));
}
