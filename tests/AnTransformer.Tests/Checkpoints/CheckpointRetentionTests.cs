using AnTransformer.Checkpoints;

namespace AnTransformer.Tests.Checkpoints;

public sealed class CheckpointRetentionTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    private void Checkpoint(long step) => AtomicDirectory.Write(
        _directory[CheckpointRetention.DirectoryName(step)],
        directory => File.WriteAllText(Path.Combine(directory, "model.safetensors"), ""));

    private long[] Steps() => [.. CheckpointRetention.List(_directory.Path).Select(checkpoint => checkpoint.Step)];

    [Fact]
    public void Complete_checkpoints_are_listed_in_the_order_of_steps()
    {
        // 100 000 000 has nine digits and sorts before others as text.
        foreach (var step in new long[] { 900, 100_000_000, 0, 1000 })
            Checkpoint(step);
        Directory.CreateDirectory(_directory["step-00000005"]);
        string[] others =
            ["step-7", "step-x", "step-", "step--0000001", "step-00000008.bak", ".step-00000009.tmp-0123456789abcdef"];
        foreach (var name in others)
            File.WriteAllText(Path.Combine(Directory.CreateDirectory(_directory[name]).FullName, "model.safetensors"), "");
        Assert.Equal([0, 900, 1000, 100_000_000], Steps());
        Assert.Equal(_directory["step-00000900"], CheckpointRetention.List(_directory.Path)[1].Path);
        Assert.Empty(CheckpointRetention.List(_directory["none"]));
    }

    [Fact]
    public void The_last_ones_and_the_best_stay()
    {
        for (var step = 100; step <= 600; step += 100)
            Checkpoint(step);
        Directory.CreateDirectory(_directory["samples"]);
        var deleted = CheckpointRetention.Prune(_directory.Path, keepLast: 2, bestStep: 300);
        Assert.Equal(["step-00000100", "step-00000200", "step-00000400"], deleted.Select(Path.GetFileName));
        Assert.Equal([300, 500, 600], Steps());
        Assert.Empty(CheckpointRetention.Prune(_directory.Path, keepLast: 2, bestStep: 300));
        CheckpointRetention.Prune(_directory.Path, keepLast: 1, bestStep: 600);
        Assert.Equal([600], Steps());
        CheckpointRetention.Prune(_directory.Path, keepLast: 9);
        Assert.Equal(["samples", "step-00000600", "step-00000600/model.safetensors"], _directory.Names());
        Assert.Throws<ArgumentOutOfRangeException>(() => CheckpointRetention.Prune(_directory.Path, keepLast: 0));
    }

    [Fact]
    public void Links_and_what_is_no_checkpoint_are_not_deleted()
    {
        Checkpoint(100);
        Checkpoint(300);
        Directory.Move(_directory["step-00000100"], _directory["archive"]);
        Directory.CreateSymbolicLink(_directory["step-00000100"], "archive");
        Directory.CreateDirectory(_directory["step-00000200/mine"]);
        Assert.Empty(CheckpointRetention.Prune(_directory.Path, keepLast: 1));
        Assert.Equal([_directory["step-00000300"]], CheckpointRetention.DeleteAll(_directory.Path));
        Assert.True(File.Exists(_directory["step-00000100/model.safetensors"]));
        Assert.True(Directory.Exists(_directory["step-00000200/mine"]));
    }
}
