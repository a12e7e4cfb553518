using System.Text;
using AnTransformer.Architectures;
using AnTransformer.Files;
using AnTransformer.Training.Configuration;
using AnTransformer.Training.Data;
using AnTransformer.Training.Runs;
using AnTransformer.Training.Tokenization.Files;

namespace AnTransformer.Training.Tests.Files;

public sealed class RegularFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Readers => new("configuration", "model", "tokenizer", "state", "shard", "weights", "metrics");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Readers))]
    public void No_reader_opens_a_device(string reader)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Devices have no paths on Windows.");
        Action read = reader switch
        {
            "configuration" => () => ConfigurationBinder.Load<TrainingConfiguration>("/dev/zero", []),
            "model" => () => ModelConfigJson.Load("/dev/zero"),
            "tokenizer" => () => TokenizerFiles.Load("/dev/zero"),
            "state" => () => TrainerState.Load("/dev/zero"),
            "shard" => () => TokenShard.Open("/dev/zero"),
            "weights" => () => AnTransformer.Checkpoints.SafetensorsFile.Open("/dev/zero"),
            _ => () => Training.Metrics.MetricsLog.Read("/dev/zero"),
        };
        Assert.Contains("'/dev/zero' is a device", Assert.Throws<InvalidInputException>(read).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_is_read_up_to_its_limit()
    {
        var path = Path.Combine(_folder.Path, "a");
        File.WriteAllBytes(path, [1, 2, 3]);
        Assert.Equal([1, 2, 3], RegularFile.ReadAllBytes(path, 3));
        Assert.Contains("more than 2 bytes", Assert.Throws<InvalidInputException>(() => RegularFile.ReadAllBytes(path, 2)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_of_the_system_that_claims_to_be_empty_is_read_up_to_the_limit()
    {
        Assert.SkipUnless(File.Exists("/proc/self/status"), "This system has no /proc.");
        Assert.StartsWith("Name:", RegularFile.ReadAllText("/proc/self/status", 1 << 16), StringComparison.Ordinal);
        Assert.Throws<InvalidInputException>(() => RegularFile.ReadAllBytes("/proc/self/status", 100));
    }

    [Fact]
    public void Two_paths_of_one_file_are_told_from_two_files()
    {
        var (one, two, link) = (Path.Combine(_folder.Path, "one"), Path.Combine(_folder.Path, "two"), Path.Combine(_folder.Path, "link"));
        File.WriteAllBytes(one, Encoding.UTF8.GetBytes("same"));
        File.WriteAllBytes(two, Encoding.UTF8.GetBytes("same"));
        File.CreateSymbolicLink(link, "one");
        Assert.Equal(FileStatus.Of(one), FileStatus.Of(link));
        Assert.NotEqual(FileStatus.Of(one), FileStatus.Of(two));
        Assert.Equal((FileKind.Regular, 4), (FileStatus.Of(link)!.Kind, FileStatus.Of(link)!.Bytes));
        Assert.Equal(FileKind.Directory, FileStatus.Of(_folder.Path)!.Kind);
        Assert.Null(FileStatus.Of(Path.Combine(_folder.Path, "none")));
    }
}
