using System.Diagnostics;
using AnTransformer.Training.Data.Preparation;

namespace AnTransformer.Training.Tests.Data;

public sealed class CorpusFilesTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_link_to_a_directory_above_it_is_not_followed()
    {
        _directory.Write("in/a/a.txt", "x");
        _directory.Write("in/beside.txt", "beside");
        Link("in/a/up", "..");
        Link("in/a/here", ".");
        var source = Open(_directory.At("in/a"));
        Assert.Equal(["in/a/a.txt"], Names(source));
        Assert.Equal(["in/a/here", "in/a/up"], source.LeftOut.Select(file => Relative(file.Path)));
        Assert.All(source.LeftOut, file => Assert.Contains("above", file.Reason, StringComparison.Ordinal));
        Assert.Contains("2 entries", source.LeftOutWarning, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_real_file_is_read_once_under_its_real_name()
    {
        _directory.Write("in/z/real.txt", "x");
        _directory.Write("elsewhere/more.txt", "y");
        Link("in/a.txt", "z/real.txt");
        Link("in/b", "z");
        Link("in/c", "../elsewhere");
        Link("in/d", "../elsewhere");
        Link("elsewhere/back", "../in");
        Link("in/gone.txt", "nowhere");
        var source = Open(_directory.At("in"), _directory.At("elsewhere"), _directory.At("in/z/real.txt"));
        Assert.Equal(["in/c/more.txt", "in/z/real.txt"], Names(source));
        Assert.Equal(
            [
                "in/a.txt: another name of in/z/real.txt", "in/b: a link to a directory that is read already",
                "in/c/back: a link to a directory that is read already", "in/d: a link to a directory that is read already",
                "in/gone.txt: a link that leads nowhere", "elsewhere/more.txt: another name of in/c/more.txt",
            ],
            source.LeftOut.Where(file => !Relative(file.Path).StartsWith("elsewhere/back", StringComparison.Ordinal))
                .Select(file => $"{Relative(file.Path)}: {file.Reason.Replace($"'{_directory.Root}/", "", StringComparison.Ordinal).TrimEnd('\'')}"));
    }

    [Fact]
    public void Patterns_at_any_depth_do_not_go_round_in_links()
    {
        _directory.Write("in/a/a.txt", "x");
        _directory.Write("in/b.txt", "y");
        Link("in/a/up", "..");
        Assert.Equal(["in/a/a.txt", "in/b.txt"], Names(Open(_directory.At("in/**/*.txt"))));
        Assert.Equal(["in/a/a.txt"], Names(Open(_directory.At("**/a.txt"))));
    }

    [Fact]
    public void Links_of_a_download_cache_stand_for_what_they_lead_to()
    {
        _directory.Write("cache/blobs/0123", "x");
        Directory.CreateDirectory(_directory.At("cache/snapshots/1"));
        Link("cache/snapshots/1/train.txt", "../../blobs/0123");
        var source = Open(_directory.At("cache"));
        Assert.Equal(["cache/snapshots/1/train.txt"], Names(source));
        Assert.Empty(source.LeftOut);
    }

    [Fact]
    public void What_is_left_out_of_a_directory_is_named()
    {
        const string Lines = "{\"text\":\"x\"}\n{\"text\":\"y\"}\n";
        foreach (var name in new[] { "a.jsonl", "b.ndjson", "c.json" })
            _directory.Write("in/" + name, Lines);
        _directory.Write("in/list.json", "[{\"text\":\"x\"}]");
        _directory.Write("in/settings.json", "{\n  \"text\": \"x\"\n}");
        _directory.Write("in/info.json", "{\"rows\":3}");
        _directory.Write("in/book.pdf", "%PDF");
        _directory.Write("in/.hidden.pdf", "%PDF");
        var source = Open(_directory.At("in"));
        Assert.Equal(["in/a.jsonl", "in/b.ndjson", "in/c.json", "in/list.json"], Names(source));
        Assert.Equal(7, source.Documents(TestContext.Current.CancellationToken).Count());
        Assert.Equal(["in/book.pdf", "in/info.json", "in/settings.json"], source.LeftOut.Select(file => Relative(file.Path)));
        Assert.Contains("book.pdf", source.LeftOutWarning, StringComparison.Ordinal);
        Assert.Null(Open(_directory.At("in/a.jsonl")).LeftOutWarning);
    }

    [Fact]
    public void A_damaged_file_is_not_taken_for_one_of_another_kind()
    {
        _directory.Write("in/a.jsonl", "{\"text\":\"x\"}\n");
        var damaged = _directory.Write("in/b.json.gz", "no gzip");
        Assert.Contains(damaged, Refusal(_directory.At("in")), StringComparison.Ordinal);
    }

    [Fact]
    public void Pipes_and_devices_are_refused_before_they_are_opened()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There are no named pipes among the files of Windows.");
        var pipe = MakePipe("in/pipe.jsonl");
        Assert.Contains("named pipe", Refusal(pipe), StringComparison.Ordinal);
        Assert.Contains("named pipe", Refusal(_directory.At("in/*.jsonl")), StringComparison.Ordinal);
        Assert.Contains("named pipe", Refusal(_directory.At("in")), StringComparison.Ordinal);
        _directory.Write("in/a.jsonl", "{\"text\":\"x\"}\n");
        var source = Open(_directory.At("in"));
        Assert.Equal((pipe, "a named pipe"), (Assert.Single(source.LeftOut).Path, source.LeftOut[0].Reason));
        Link("zero.txt", "/dev/zero");
        Assert.Contains("device", Refusal(_directory.At("zero.txt")), StringComparison.Ordinal);
    }

    [Fact]
    public void Input_in_the_output_is_noticed_through_links()
    {
        _directory.Write("out/a.txt", "x");
        Link("alias", "out");
        Assert.NotNull(Open(_directory.At("alias/a.txt")).FindInside(_directory.At("out")));
        Assert.Null(Open(_directory.At("out/a.txt")).FindInside(_directory.At("other")));
    }

    private void Link(string name, string target) => File.CreateSymbolicLink(_directory.At(name), target);

    private static DocumentSource Open(params string[] inputs) => DocumentSource.Open(inputs, null, TestContext.Current.CancellationToken);

    private string MakePipe(string name)
    {
        var path = _directory.At(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var process = Process.Start("mkfifo", path);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return path;
    }

    private string Relative(string path) => Path.GetRelativePath(_directory.Root, path).Replace('\\', '/');

    private IEnumerable<string> Names(DocumentSource source) => source.Files.Select(file => Relative(file.Path));

    private static string Refusal(string input) => Assert.Throws<InvalidInputException>(() => Open(input)).Message;
}
