using System.Diagnostics;

namespace AnTransformer.Cli.Tests;

/// <summary>Real jobs of several processes, by mpirun.</summary>
public sealed class DistributedTests : IDisposable
{
    private const string Mpirun = "mpirun --allow-run-as-root --oversubscribe --bind-to none --mca mpi_yield_when_idle 1";

    private readonly Angpt _angpt = new();

    public DistributedTests()
    {
        Assert.SkipUnless(Angpt.Succeeds("command -v mpirun"), "mpirun is not installed (apt-get install openmpi-bin)");
        _angpt.Variables["TERM"] = "dumb";
    }

    [Fact]
    public void Two_processes_train_what_one_does_and_one_goes_on_with_it()
    {
        _angpt.Train("--training.output", "alone").AssertSucceeded();
        var result = Job(2, Angpt.TrainArguments("--training.output", "both")).AssertSucceeded();
        _angpt.AssertSameLosses("alone", "both");
        // Rank 0 speaks for both.
        Assert.Equal(2, result.Output.Split("checkpoint ").Length);

        // Four go on with what two have begun, then one.
        _angpt.Train("--training.output", "whole", "--schedule.kind", "constant", "--training.steps", "9").AssertSucceeded();
        Job(2, Angpt.TrainArguments(
            "--training.output", "parts", "--schedule.kind", "constant", "--training.steps", "3")).AssertSucceeded();
        Job(4, ["train", "parts", "--training.steps", "6"]).AssertSucceeded();
        _angpt.Run("train", "parts", "--training.steps", "9").AssertSucceeded();
        _angpt.AssertSameLosses("whole", "parts");
    }

    [Fact]
    public void With_deterministic_sums_weights_are_the_same_to_the_bit()
    {
        string[] options =
        [
            "--training.batch_size", "2", "--training.gradient_accumulation", "4", "--distributed.deterministic", "true",
            "--training.threads", "1",
        ];
        foreach (var processes in new[] { 1, 4 })
            Job(processes, Angpt.TrainArguments([.. options, "--training.output", $"of{processes}"])).AssertSucceeded();
        var weights = new[] { 1, 4 }
            .Select(processes => File.ReadAllBytes(
                _angpt.In($"of{processes}", "checkpoints", "step-00000006", "model.safetensors"))).ToList();
        Assert.All(weights, bytes => Assert.True(bytes.AsSpan().SequenceEqual(weights[0])));
    }

    /// <summary>A checkpoint of processes that share the optimizer is one of any others.</summary>
    [Fact]
    public void Processes_that_share_the_optimizer_go_on_where_others_were_and_the_other_way()
    {
        string[] Run(string steps, string shard) =>
            ["--training.steps", steps, "--distributed.shard_optimizer", shard, "--schedule.kind", "constant"];
        _angpt.Train([.. Run("9", "false"), "--training.output", "alone"]).AssertSucceeded();
        Job(2, Angpt.TrainArguments([.. Run("3", "true"), "--training.output", "parts"])).AssertSucceeded();
        Job(3, ["train", "parts", .. Run("6", "true")]).AssertSucceeded();
        _angpt.Run(["train", "parts", .. Run("9", "false")]).AssertSucceeded();
        _angpt.AssertSameLosses("alone", "parts");
    }

    [Fact]
    public void Processes_that_meet_now_and_then_learn_and_go_on_with_another_number()
    {
        string[] options =
        [
            "--distributed.sync_every", "4", "--distributed.outer_learning_rate", "0.7", "--distributed.outer_momentum", "0.9",
            "--checkpoint.interval", "4", "--evaluation.interval", "4", "--schedule.kind",
            "constant",
        ];
        Job(2, Angpt.TrainArguments([.. options, "--training.steps", "8", "--training.output", "far"])).AssertSucceeded();
        var weights = WeightsAt("far", 8);
        // The same job gives the same bits, in one go or two.
        Job(2, Angpt.TrainArguments([.. options, "--training.steps", "4", "--training.output", "near"])).AssertSucceeded();
        Job(2, ["train", "near", "--training.steps", "8"]).AssertSucceeded();
        Assert.True(weights.AsSpan().SequenceEqual(WeightsAt("near", 8)));
        // One process goes on, with outer steps of its own and then without.
        _angpt.Run("train", "near", "--training.steps", "12").AssertSucceeded();
        var last = _angpt.Run("train", "near", "--training.steps", "14", "--distributed.sync_every", "1").AssertSucceeded();
        Assert.Contains("momentum of outer steps is left behind", last.Error, StringComparison.Ordinal);
        var losses = _angpt.Losses("near");
        Assert.True(losses[14] < losses[1], $"{losses[1]} → {losses[14]}");
        _angpt.Train("--distributed.sync_every", "4").AssertRejected(
            "evaluation.interval 3 is no multiple of distributed.sync_every 4");
        _angpt.Train("--distributed.sync_every", "2", "--distributed.shard_optimizer", "true", "--evaluation.interval", "4")
            .AssertRejected("shard_optimizer does not allow");

        byte[] WeightsAt(string run, int step)
            => File.ReadAllBytes(_angpt.In(run, "checkpoints", $"step-{step:d8}", "model.safetensors"));
    }

    [Fact]
    public void A_job_goes_on_with_as_many_as_can_share_a_step()
    {
        // Three of four cannot share four micro-batches, two can.
        var process = _angpt.Start(["launch", "-n", "4", "--restarts", "1", "--min-ranks", "1", "--", .. Angpt.TrainArguments(
            "--training.batch_size", "2", "--training.gradient_accumulation", "4", "--distributed.deterministic", "true",
            "--training.steps", "60", "--checkpoint.interval", "10", "--evaluation.interval", "0")]);
        Signals.WaitFor(process, () => HasCheckpoint("run", 10));
        KillOneOf("run");
        var result = Angpt.Wait(process).AssertSucceeded();
        Assert.Contains("starting again with 3", result.Error, StringComparison.Ordinal);
        Assert.Contains("trying 2 processes", result.Error, StringComparison.Ordinal);
        Assert.Equal(Enumerable.Range(1, 60).Select(step => (long)step), _angpt.Losses().Keys.Order());
    }

    [Fact]
    public void A_stop_reaches_all_and_saves_once()
    {
        var process = _angpt.Start(["launch", "-n", "2", "--restarts", "1", "--", .. Angpt.TrainArguments(
            "--training.steps", "100000", "--checkpoint.interval", "10", "--evaluation.interval", "0")]);
        Signals.WaitFor(process, () => HasCheckpoint("run", 10));
        Signals.Send(process, Signals.Terminate);
        var result = Angpt.Wait(process);
        Assert.Equal(3, result.ExitCode);
        Assert.Contains("stopped at step", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("starting again", result.Error, StringComparison.Ordinal);
        Assert.True(HasCheckpoint("run", _angpt.Losses().Keys.Max()), result.Error);
        Assert.Single(result.Error.Split('\n'), line => line.Contains("stopping after this step", StringComparison.Ordinal));
    }

    [Fact]
    public void Processes_that_do_not_train_the_same_are_refused()
    {
        var train = string.Join(' ', Angpt.TrainArguments());
        var rank = "exec $angpt " + train + " --optimizer.beta2 0.9$OMPI_COMM_WORLD_RANK";
        File.WriteAllText(_angpt.In("rank.sh"), rank);
        var result = _angpt.Shell($"{Mpirun} -n 2 bash rank.sh");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("rank 1 on ", result.Error, StringComparison.Ordinal);
        Assert.Contains("optimizer.beta2 0.9 → 0.91", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--training.device cuda", "NCCL cannot be loaded")]
    [InlineData("--distributed ring", "ring")]
    [InlineData("--training.batch_size 1", "cannot share a step of 1 sequences")]
    [InlineData("--distributed.deterministic true", "choose a multiple of 2")]
    public void What_is_wrong_is_said_once(string options, string sentence)
    {
        var words = options.Split(' ');
        var result = Job(2, Angpt.TrainArguments(words));
        Assert.Equal(2, result.ExitCode);
        var said = result.Error.Split('\n').Where(line => line.StartsWith("angpt: ", StringComparison.Ordinal)).ToList();
        Assert.Contains(sentence, Assert.Single(said), StringComparison.Ordinal);
    }

    [Fact]
    public void A_process_alone_says_what_is_missing()
    {
        _angpt.Train("--distributed", "mpi").AssertRejected("--distributed mpi needs a launcher", "mpirun -n 4");
        _angpt.Train("--distributed", "nccl").AssertRejected("connects GPUs, and --device is cpu");
        _angpt.Train("--distributed.deterministic", "true", "--distributed.gradient_dtype", "bf16")
            .AssertRejected("gradient_dtype fp32");
        _angpt.Train("--distributed.deterministic", "true", "--training.gradient_accumulation", "6")
            .AssertRejected("a power of two");
        _angpt.Variables["SLURM_STEP_ID"] = "0";
        _angpt.Variables["SLURM_STEP_NUM_TASKS"] = "2";
        _angpt.Train().AssertRejected("srun --mpi=pmix");
        _angpt.Train("--distributed", "none").AssertSucceeded();
    }

    [Fact]
    public void A_library_that_is_none_is_refused()
    {
        _angpt.Variables["ANTRANSFORMER_MPI"] = "libc.so.6";
        Assert.Contains("is no MPI library", Job(2, Angpt.TrainArguments()).Error, StringComparison.Ordinal);
        _angpt.Variables["ANTRANSFORMER_MPI"] = "/no/such/library.so";
        Assert.Contains("cannot be loaded", Job(2, Angpt.TrainArguments()).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_job_that_loses_a_process_starts_again_and_ends_as_if_it_had_not()
    {
        string[] train = Angpt.TrainArguments(
            "--training.steps", "60", "--checkpoint.interval", "10", "--evaluation.interval", "0");
        string[] Output(string name) => [.. train.Select(word => word == "run" ? name : word)];
        _angpt.Run(["launch", "-n", "2", "--", .. Output("undisturbed")]).AssertSucceeded();

        var process = _angpt.Start(["launch", "-n", "2", "--restarts", "2", "--", .. Output("killed")]);
        Signals.WaitFor(process, () => HasCheckpoint("killed", 10));
        KillOneOf("killed");
        var result = Angpt.Wait(process).AssertSucceeded();
        Assert.Contains("starting again with 2 from the last checkpoint (restart 1 of 2)", result.Error, StringComparison.Ordinal);
        Assert.True(Weights("killed").AsSpan().SequenceEqual(Weights("undisturbed")));

        process = _angpt.Start(["launch", "-n", "2", "--", .. Output("lost")]);
        Signals.WaitFor(process, () => HasCheckpoint("lost", 10));
        KillOneOf("lost");
        result = Angpt.Wait(process);
        Assert.Equal(5, result.ExitCode);
        Assert.Contains("a process of the job was lost (exit code 137)", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Launch_refuses_what_it_cannot_start()
    {
        _angpt.Run("launch", "-n", "0", "--", "train").AssertRejected("at least 1");
        _angpt.Run("launch", "-n", "2", "--", "eval").AssertRejected("launch starts `train`");
        _angpt.Run("launch", "-n", "2", "--min-ranks", "3", "--", "train").AssertRejected("--min-ranks 3");
        _angpt.Run("launch", "-n", "2", "--mpirun", "/no/such/mpirun", "--", "train").AssertRejected("cannot be started");
    }

    public void Dispose() => _angpt.Dispose();

    private Angpt.Result Job(int processes, string[] arguments) => Angpt.Wait(Start(processes, arguments));

    private Process Start(int processes, string[] arguments)
        => _angpt.StartShell($"exec {Mpirun} -n {processes} $angpt {string.Join(' ', arguments)}");

    private bool HasCheckpoint(string run, long step) => Directory.Exists(_angpt.In(run, "checkpoints", $"step-{step:d8}"));

    private byte[] Weights(string run)
        => File.ReadAllBytes(_angpt.In(run, "checkpoints", "step-00000060", "model.safetensors"));

    /// <summary>Kills the rank that was started last of the job that writes to a directory of this test's folder.</summary>
    private void KillOneOf(string run)
    {
        var rank = _angpt.ProcessesHere(
            words => words.Contains("train") && !words.Contains("launch") && words.Contains(run)).MaxBy(process => process.Id);
        Assert.NotNull(rank);
        rank.Kill();
    }
}
