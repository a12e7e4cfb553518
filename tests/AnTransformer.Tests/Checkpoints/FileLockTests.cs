using AnTransformer.Checkpoints;

namespace AnTransformer.Tests.Checkpoints;

public sealed class FileLockTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_lock_is_held_by_one_and_its_file_stays()
    {
        var path = _directory["a/x.lock"];
        Assert.False(FileLock.IsHeld(path));
        using (FileLock.TryTake(path))
        {
            Assert.True(FileLock.IsHeld(path));
            Assert.Null(FileLock.TryTake(path));
        }

        Assert.False(FileLock.IsHeld(path));
        using var again = FileLock.TryTake(path);
        Assert.NotNull(again);
    }

    [Fact]
    public void A_file_that_cannot_be_opened_is_not_taken_for_a_held_lock()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux alone refuses to write to a program that runs.");
        var path = _directory["x.lock"];
        File.CreateSymbolicLink(path, Environment.ProcessPath!);
        var message = Assert.Throws<InvalidInputException>(() => FileLock.TryTake(path)).Message;
        Assert.StartsWith($"Cannot write '{path}': Text file busy", message, StringComparison.Ordinal);
        Assert.False(FileLock.IsHeld(path));
    }

    [Theory]
    [InlineData(30, "not read-only")]
    [InlineData(28, "free space")]
    [InlineData(24, "ulimit")]
    public void Causes_have_remedies(int error, string remedy)
        => Assert.Contains(remedy, WriteErrors.Explain("x", new IOException("…", error)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_directory_in_the_lock_s_place_is_named()
    {
        Directory.CreateDirectory(_directory["x.lock"]);
        Assert.Contains(_directory["x.lock"], Assert.Throws<InvalidInputException>(() => FileLock.TryTake(_directory["x.lock"])).Message);
        Assert.False(FileLock.IsHeld(_directory["x.lock"]));
    }
}
