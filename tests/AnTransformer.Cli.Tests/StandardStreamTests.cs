using System.Text.Json;

namespace AnTransformer.Cli.Tests;

/// <summary>The real tool with standard streams that are closed, full or unread, and with few open files allowed.</summary>
public sealed class StandardStreamTests : IDisposable
{
    private readonly Angpt _angpt = new();

    [Theory]
    [InlineData("trian", "2>&-", 2)]
    [InlineData("trian", "2>/dev/full", 2)]
    [InlineData("trian", "0<&- 1>&- 2>&-", 2)]
    [InlineData("info missing", "2>&-", 2)]
    [InlineData("info configs/quickstart.yaml", "2>&-", 0)]
    [InlineData("info configs/quickstart.yaml", "2>/dev/full", 0)]
    [InlineData("info configs/quickstart.yaml", "0<&-", 0)]
    [InlineData("info configs/quickstart.yaml", "1>&-", 2)]
    [InlineData("info configs/quickstart.yaml", "1>&- 2>&-", 2)]
    [InlineData("info configs/quickstart.yaml --json", ">/dev/full", 2)]
    [InlineData("info configs/quickstart.yaml --json", ">/dev/full 2>&1", 2)]
    [InlineData("train --help", ">/dev/full", 2)]
    [InlineData("--version", "1>&-", 2)]
    public void The_exit_code_survives(string arguments, string redirection, int expected)
    {
        var result = _angpt.Shell($"$angpt {arguments} {redirection}");
        Assert.True(result.ExitCode == expected, $"exit code {result.ExitCode}: {result.Error}");
        Assert.DoesNotContain("Unhandled", result.Error, StringComparison.Ordinal);
        if (expected == 2 && !redirection.Contains('2', StringComparison.Ordinal) && arguments != "trian")
            Assert.StartsWith("angpt: standard output cannot be written", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_reader_that_has_enough_is_no_error()
    {
        // 200 lines into a pipe whose reader takes one and goes; PIPESTATUS is the tool's own code.
        var result = _angpt.Shell("$angpt train --help | head -1; exit ${PIPESTATUS[0]}");
        Assert.True(result.ExitCode == 0, $"exit code {result.ExitCode}: {result.Error}");
        Assert.Empty(result.Error);
        Assert.Single(result.Output.TrimEnd('\n').Split('\n'));
    }

    [Theory]
    [InlineData("2>&-")]
    [InlineData("2>/dev/full")]
    [InlineData("0<&- 2>&-")]
    public void Training_goes_on_without_a_place_for_progress_and_learns_the_same(string redirection)
    {
        _angpt.Train("--training.output", "spoken").AssertSucceeded();
        var result = _angpt.Shell($"$angpt {string.Join(' ', Angpt.TrainArguments("--training.output", "silent", "--json"))} {redirection}");
        Assert.True(result.ExitCode == 0, $"exit code {result.ExitCode}: {result.Error}");
        Assert.Equal("completed", JsonDocument.Parse(result.Output).RootElement.GetProperty("status").GetString());
        Assert.Equal(_angpt.Losses("spoken"), _angpt.Losses("silent"));
    }

    [Fact]
    public void Files_never_take_the_place_of_a_closed_standard_stream()
    {
        // With standard error closed the next file opened has its number, and messages would be written into a checkpoint.
        var process = _angpt.StartShell($"exec $angpt {string.Join(' ', Angpt.TrainArguments("--training.steps", "100000", "--checkpoint.interval", "20"))} 0<&- 1>&- 2>&-");
        while (!process.HasExited && !Directory.Exists(_angpt.In("run", "checkpoints", "step-00000020")))
            Thread.Sleep(20);
        var folder = _angpt.Folder;
        foreach (var descriptor in new[] { "0", "1", "2" })
        {
            var target = new FileInfo($"/proc/{process.Id}/fd/{descriptor}").LinkTarget;
            Assert.NotNull(target);
            Assert.DoesNotContain(folder, target, StringComparison.Ordinal);
            Assert.DoesNotContain(".dll", target, StringComparison.Ordinal);
        }

        process.Kill();
        Angpt.Wait(process);
    }

    [Theory]
    [InlineData("--training.steps 3", 0, 2)]
    [InlineData("--optimizer.learning_rate 1 --model.architecture gpt --optimizer.gradient_clipping 0 --schedule.warmup_steps 0 --training.steps 200 "
        + "--training.divergence_factor 1.05 --checkpoint.interval 1", 4, 4)]
    public void A_summary_that_cannot_be_printed_fails_a_run_that_succeeded_and_does_not_hide_another_outcome(string options, int heard, int unheard)
    {
        var given = options.Split(' ');
        var heardResult = _angpt.Train([.. given, "--training.output", "heard"]);
        Assert.True(heardResult.ExitCode == heard, $"exit code {heardResult.ExitCode}: {heardResult.Error}");
        var result = _angpt.Shell($"$angpt {string.Join(' ', Angpt.TrainArguments([.. given, "--training.output", "unheard"]))} >/dev/full");
        Assert.True(result.ExitCode == unheard, $"exit code {result.ExitCode}: {result.Error}");
        Assert.NotEmpty(Directory.GetDirectories(_angpt.In("unheard", "checkpoints")));
    }

    [Theory]
    [InlineData(24)]
    [InlineData(32)]
    [InlineData(64)]
    [InlineData(109)]
    [InlineData(255)]
    public void Too_few_open_files_are_one_sentence(int limit)
    {
        var result = _angpt.Shell($"ulimit -n {limit}; $angpt info configs/quickstart.yaml");
        result.AssertRejected($"{limit} open files", "ulimit -n");
        Assert.Single(result.Error.TrimEnd('\n').Split('\n'));
        Assert.Equal(2, _angpt.Shell($"ulimit -n {limit}; $angpt info configs/quickstart.yaml 2>&-").ExitCode);
    }

    [Fact]
    public void As_many_open_files_as_are_asked_for_are_enough_for_a_run()
    {
        var result = _angpt.Shell($"ulimit -n 256; $angpt {string.Join(' ', Angpt.TrainArguments())}");
        Assert.True(result.ExitCode == 0, $"exit code {result.ExitCode}: {result.Error}");
    }

    [Fact]
    public void More_shards_than_files_may_be_open_are_read()
    {
        _angpt.Train("--training.steps", "1").AssertSucceeded();
        Directory.CreateDirectory(_angpt.In("many"));
        for (var i = 0; i < 300; i++)
            File.Copy(_angpt.In("data", "val-000000.bin"), _angpt.In("many", $"val-{i:d6}.bin"));
        var result = _angpt.Shell("ulimit -n 256; $angpt eval run --data many --batches 1");
        Assert.True(result.ExitCode == 0, $"exit code {result.ExitCode}: {result.Error}");
    }

    public void Dispose() => _angpt.Dispose();
}
