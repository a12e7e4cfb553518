using AnTransformer.Checkpoints;
using AnTransformer.Training.Runs;

namespace AnTransformer.Training.Tests;

public sealed class RunDirectoryTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("angpt-run-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void A_directory_is_one_run_s_at_a_time()
    {
        using (RunDirectory.Open(_root))
        {
            Assert.True(RunDirectory.IsInUse(_root));
            Assert.Contains("another run", Assert.Throws<InvalidInputException>(() => RunDirectory.Open(_root)).Message, StringComparison.Ordinal);
        }

        Assert.False(RunDirectory.IsInUse(_root));
        Assert.False(RunDirectory.IsInUse(Path.Combine(_root, "none")));
    }

    [Fact]
    public void A_lock_that_cannot_be_opened_is_not_another_run()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux alone refuses to write to a program that runs.");
        File.CreateSymbolicLink(Path.Combine(_root, "run.lock"), Environment.ProcessPath!);
        var message = Assert.Throws<InvalidInputException>(() => RunDirectory.Open(_root)).Message;
        Assert.DoesNotContain("another run", message, StringComparison.Ordinal);
        Assert.Contains("Text file busy", message, StringComparison.Ordinal);
        Assert.False(RunDirectory.IsInUse(_root));
    }

    [Theory]
    [InlineData(".")]
    [InlineData("checkpoints")]
    public void Leftovers_of_killed_runs_are_cleared_and_those_of_the_living_are_not(string place)
    {
        var directory = Directory.CreateDirectory(Path.Combine(_root, place)).FullName;
        var dead = Leave(directory, "config.yaml");
        var living = Leave(directory, "settings.json");
        using var writer = new FileStream(
            Path.Combine(directory, living.Lock), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        File.WriteAllText(Path.Combine(directory, ".config.yaml.lock-0123456789abcdef"), "mine");
        using (RunDirectory.Open(_root))
        {
            Assert.Equal(
                new[] { ".config.yaml.lock-0123456789abcdef", living.Lock, living.Temporary }.Order(StringComparer.Ordinal),
                Directory.GetFiles(directory, ".*").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
            Assert.DoesNotContain(dead.Lock, Directory.GetFiles(directory));
        }
    }

    [Fact]
    public void Deleting_checkpoints_leaves_what_is_none()
    {
        var checkpoints = Path.Combine(_root, "checkpoints");
        var step = Path.Combine(checkpoints, CheckpointRetention.DirectoryName(5));
        AtomicDirectory.Write(step, directory => File.WriteAllText(Path.Combine(directory, "model.safetensors"), ""));
        BestCheckpoint.Mark(_root, 5, 1.5);
        File.WriteAllText(Path.Combine(checkpoints, "notes.txt"), "mine");
        RunDirectory.DeleteCheckpoints(_root);
        Assert.Equal([Path.Combine(checkpoints, "notes.txt")], Directory.GetFileSystemEntries(checkpoints));
        File.Delete(Path.Combine(checkpoints, "notes.txt"));
        RunDirectory.DeleteCheckpoints(_root);
        Assert.Empty(Directory.GetFileSystemEntries(_root));
        RunDirectory.DeleteCheckpoints(_root);
    }

    [Theory]
    [InlineData("{\"step\":-1}")]
    [InlineData("{\"step\":-1,\"val_loss\":1}")]
    [InlineData("{\"step\":99999999999999999999,\"val_loss\":1}")]
    [InlineData("{\"step\":5.5,\"val_loss\":1}")]
    [InlineData("{\"step\":\"5\",\"val_loss\":1}")]
    [InlineData("{\"step\":5}")]
    [InlineData("{\"step\":5,\"val_loss\":1e999}")]
    [InlineData("{\"step\":5,\"val_loss\":\"NaN\"}")]
    [InlineData("{\"step\":[5],\"val_loss\":{}}")]
    [InlineData("{\"st\\ud800ep\":5,\"step\":5}")]
    [InlineData("[{\"step\":5,\"val_loss\":1}]")]
    [InlineData("5")]
    [InlineData("null")]
    [InlineData("")]
    [InlineData("\0\u0001")]
    public void A_damaged_mark_of_the_best_checkpoint_is_passed_over(string content)
    {
        AtomicDirectory.Write(
            Path.Combine(_root, "checkpoints", CheckpointRetention.DirectoryName(5)),
            directory => File.WriteAllText(Path.Combine(directory, "model.safetensors"), ""));
        File.WriteAllText(Path.Combine(_root, "checkpoints", "best.json"), content);
        Assert.Null(BestCheckpoint.Find(_root));
        BestCheckpoint.Mark(_root, 5, 1.5);
        Assert.Equal(1.5, BestCheckpoint.Find(_root)!.Loss);
    }

    [Theory]
    [InlineData("{\"step\":-1}")]
    [InlineData("{\"step\":9223372036854775807}")]
    [InlineData("{\"step\":1,\"elapsed_seconds\":1e300}")]
    [InlineData("{\"step\":1,\"elapsed_seconds\":-1}")]
    [InlineData("{\"step\":1,\"tokens\":-1}")]
    [InlineData("{\"step\":1,\"divergence\":null}")]
    [InlineData("{\"step\":1,\"divergence\":{\"steps\":1,\"smoothed\":1e999,\"lowest\":1}}")]
    [InlineData("{\"st\\ud800ep\":1}")]
    [InlineData("{\"step\":\"\\ud800\"}")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("")]
    [InlineData("\0\u0001")]
    public void A_damaged_trainer_state_is_refused(string content)
    {
        var path = Path.Combine(_root, "trainer_state.json");
        File.WriteAllText(path, content);
        var message = Assert.Throws<InvalidInputException>(() => TrainerState.Load(path)).Message;
        Assert.StartsWith($"{path}: cannot be read as a trainer's state (", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void A_trainer_state_survives_its_file()
    {
        var path = Path.Combine(_root, "trainer_state.json");
        var state = new TrainerState { Step = 3, Sequences = 12, Tokens = 99, ElapsedSeconds = 1.25, Seed = 7, Divergence = new(3, 2.5, 2.25) };
        state.Save(path);
        // Records compare lists by reference.
        Assert.Equivalent(state, TrainerState.Load(path), strict: true);
    }

    /// <summary>What a process leaves that is killed while it writes a file.</summary>
    private static (string Temporary, string Lock) Leave(string directory, string name)
    {
        string[] names = [];
        AtomicFile.Write(Path.Combine(directory, name), _ => names = Directory.GetFiles(directory, $".{name}.*"));
        foreach (var path in names)
            File.WriteAllText(path, "half");
        File.Delete(Path.Combine(directory, name));
        return (Path.GetFileName(names.Single(path => path.Contains(".tmp-", StringComparison.Ordinal))),
            Path.GetFileName(names.Single(path => path.Contains(".lock-", StringComparison.Ordinal))));
    }
}
