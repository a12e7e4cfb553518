namespace AnTransformer.Cli.Tests;

/// <summary>Closed terminals, lost connections and impatient users: real signals to the real tool.</summary>
public sealed class SignalTests : IDisposable
{
    private static readonly string[] Long = ["--training.steps", "100000", "--checkpoint.interval", "10", "--evaluation.interval", "0"];
    private readonly Angpt _angpt = new();

    [Theory]
    [InlineData("")]
    [InlineData("2>&-")]
    [InlineData(">/dev/full 2>/dev/full")]
    public void A_hangup_saves_the_run_and_says_so_by_the_exit_code_even_when_nothing_can_be_said(string redirection)
    {
        Assert.SkipWhen(Signals.IsHangupIgnored, "SIGHUP is ignored here, as nohup has it.");
        var process = _angpt.StartShell($"exec $angpt {string.Join(' ', Angpt.TrainArguments(Long))} {redirection}");
        Signals.WaitFor(process, () => HasCheckpoint(10));
        // The system and the shell both send one.
        Signals.Send(process, Signals.Hangup);
        Signals.Send(process, Signals.Hangup);
        var result = Angpt.Wait(process);
        Assert.True(result.ExitCode == 3, $"exit code {result.ExitCode}: {result.Error}");
        if (redirection.Length == 0)
            Assert.Contains("stopping after this step", result.Error, StringComparison.Ordinal);
        // What was trained is in a checkpoint: the last step on record is the last one saved.
        Assert.True(HasCheckpoint(_angpt.Losses().Keys.Max()));
    }

    [Theory]
    [InlineData("nohup")]
    [InlineData("trap '' HUP; exec")]
    public void A_hangup_that_was_ignored_at_the_start_stays_ignored(string ignoring)
    {
        var exec = ignoring.EndsWith("exec", StringComparison.Ordinal) ? ignoring : "exec " + ignoring;
        var process = _angpt.StartShell($"{exec} $angpt {string.Join(' ', Angpt.TrainArguments(Long))}");
        Signals.WaitFor(process, () => HasCheckpoint(10));
        Signals.Send(process, Signals.Hangup);
        var step = _angpt.Losses().Keys.Max();
        Signals.WaitFor(process, () => _angpt.Losses().Keys.Max() > step + 20);
        Assert.False(process.HasExited);
        Signals.Send(process, Signals.Terminate);
        Assert.Equal(3, Angpt.Wait(process).ExitCode);
    }

    [Fact]
    public void A_session_that_ends_with_several_signals_still_saves_and_a_second_request_ends_at_once()
    {
        Assert.SkipWhen(Signals.IsHangupIgnored, "SIGHUP is ignored here, as nohup has it.");
        var process = _angpt.Start(Angpt.TrainArguments(Long));
        Signals.WaitFor(process, () => HasCheckpoint(10));
        Signals.Send(process, Signals.Terminate);
        Signals.Send(process, Signals.Hangup);
        Assert.Equal(3, Angpt.Wait(process).ExitCode);

        // A step of many batches, to have the time for a second signal before the first has its effect.
        process = _angpt.Start(Angpt.TrainArguments([.. Long, "--training.output", "second", "--training.gradient_accumulation", "20000"]));
        ReadUntil(process, "matrix products run at");
        Thread.Sleep(500);
        // Not SIGINT, which programs started in the background of a script ignore.
        Signals.Send(process, Signals.Terminate);
        ReadUntil(process, "stopping after this step; once more to stop at once");
        Signals.Send(process, Signals.Terminate);
        Assert.Equal(128 + Signals.Terminate, Angpt.Wait(process).ExitCode);
    }

    [Fact]
    public void A_supervised_run_saves_on_a_hangup_and_leaves_an_interrupt_to_its_supervisor()
    {
        Assert.SkipWhen(Signals.IsHangupIgnored, "SIGHUP is ignored here, as nohup has it.");
        var process = _angpt.Start([.. Angpt.TrainArguments(Long), "--supervised"]);
        Signals.WaitFor(process, () => HasCheckpoint(10));
        Signals.Send(process, Signals.Interrupt);
        var step = _angpt.Losses().Keys.Max();
        Signals.WaitFor(process, () => _angpt.Losses().Keys.Max() > step + 20);
        Assert.False(process.HasExited);
        Signals.Send(process, Signals.Hangup);
        process.WaitForExit();
        Assert.Equal(3, Angpt.Wait(process).ExitCode);
        Assert.True(HasCheckpoint(_angpt.Losses().Keys.Max()));
    }

    [Fact]
    public void A_study_saves_its_runs_on_a_hangup()
    {
        Assert.SkipWhen(Signals.IsHangupIgnored, "SIGHUP is ignored here, as nohup has it.");
        string[] tiny = Angpt.TrainArguments("--training.output", "base", "--training.steps", "100000", "--checkpoint.interval", "10", "--evaluation.interval", "0");
        var set = tiny.Skip(1).Chunk(2).Where(pair => pair[0] is not ("--training.output" or "--training.steps")).SelectMany(pair => new[] { "--set", $"{pair[0][2..]}={pair[1]}" });
        var process = _angpt.Start(["compare", .. set, "--set", "training.max_tokens=100000000", "--sides", "angpt", "--reference", "angpt", "--learning-rates", "1e-3",
            "--max-extensions", "0", "--seeds", "1", "--output", "study"]);
        Signals.WaitFor(process, () => Steps().Any());
        Signals.Send(process, Signals.Hangup);
        Signals.Send(process, Signals.Hangup);
        var result = Angpt.Wait(process);
        Assert.True(result.ExitCode == 3, $"exit code {result.ExitCode}: {result.Error}");
        Assert.Contains("runs under way are saved", result.Error, StringComparison.Ordinal);
        var run = Assert.Single(Directory.GetDirectories(_angpt.In("study", "runs")));
        var last = _angpt.Losses(Path.Combine("study", "runs", Path.GetFileName(run))).Keys.Max();
        Assert.Contains($"step-{last:d8}", Steps());

        IEnumerable<string?> Steps() => Directory.Exists(_angpt.In("study", "runs"))
            ? Directory.GetDirectories(_angpt.In("study", "runs"), "step-*", SearchOption.AllDirectories).Select(Path.GetFileName)
            : [];
    }

    [Fact]
    public void Generation_stops_with_its_code_and_when_nobody_reads()
    {
        _angpt.Train().AssertSucceeded();
        const string endless = "generate run --prompt the --max-tokens 2000000000 --ignore-end-of-text";
        var process = _angpt.StartShell($"exec $angpt {endless}");
        Assert.NotEqual(-1, process.StandardOutput.Read());     // the first character: it is under way
        Signals.Send(process, Signals.Terminate);
        var result = Angpt.Wait(process);
        Assert.True(result.ExitCode == 3, $"exit code {result.ExitCode}: {result.Error}");
        Assert.Contains("stopping after this token", result.Error, StringComparison.Ordinal);

        // Without an end of its own: it ends because the reader has.
        var unread = _angpt.Shell($"$angpt {endless} | head -c 10 >/dev/null; exit ${{PIPESTATUS[0]}}");
        Assert.True(unread.ExitCode == 0, $"exit code {unread.ExitCode}: {unread.Error}");
    }

    private static void ReadUntil(System.Diagnostics.Process process, string fragment)
    {
        while (process.StandardError.ReadLine() is { } line && !line.Contains(fragment, StringComparison.Ordinal))
        {
            // Progress.
        }
    }

    public void Dispose() => _angpt.Dispose();

    private bool HasCheckpoint(long step) => Directory.Exists(_angpt.In("run", "checkpoints", $"step-{step:d8}"));
}
