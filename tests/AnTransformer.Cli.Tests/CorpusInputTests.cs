using System.Runtime.InteropServices;
using System.Text;

namespace AnTransformer.Cli.Tests;

/// <summary>Text and files as people have them, through the commands that read them.</summary>
public sealed class CorpusInputTests : IDisposable
{
    private static readonly string Lines = string.Concat(Enumerable.Range(1, 20).Select(i => $"{{\"text\":\"doc {i}\"}}\n"));

    private readonly Angpt _angpt = new();

    public void Dispose() => _angpt.Dispose();

    [Fact]
    public void Prepare_reads_each_document_once_and_says_what_it_leaves_out()
    {
        Directory.CreateDirectory(_angpt.In("in", "a"));
        File.WriteAllText(_angpt.In("in", "a", "a.jsonl"), Lines);
        File.WriteAllText(_angpt.In("in", "b.ndjson"), Lines);
        File.WriteAllText(_angpt.In("in", "notes.pdf"), "");
        File.CreateSymbolicLink(_angpt.In("in", "a", "up"), "..");
        var prepared = Prepare("in", "--json");
        Assert.Equal(40, prepared.Json.GetProperty("train_documents").GetInt64());
        Assert.Equal(["in/a/up", "in/notes.pdf"], prepared.Json.GetProperty("left_out").EnumerateArray().Select(path => path.GetString()));
        Assert.Contains("in/notes.pdf", prepared.Error, StringComparison.Ordinal);
        var learned = _angpt.Run("tokenizer", "train", "in", "-o", "tokenizer", "--vocab-size", "260").AssertSucceeded();
        Assert.Contains("in/notes.pdf", learned.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Encodings_are_options_of_prepare_and_of_a_configuration()
    {
        File.WriteAllBytes(_angpt.In("a.txt"), Encoding.Unicode.GetBytes(string.Concat(Enumerable.Repeat("some words and a line\n\n", 400))));
        _angpt.Run("prepare", "a.txt", "-o", "none", "--tokenizer", "bytes").AssertRejected("a.txt", "--encoding utf-16le");
        _angpt.Run("prepare", "a.txt", "-o", "none", "--encoding", "ebcdic").AssertRejected("ebcdic", "windows-1252");
        Assert.Equal(9200, Prepare("a.txt", "--encoding", "utf-16le", "--json").Json.GetProperty("train_bytes").GetInt64());
        _angpt.Train("--data.text", "a.txt").AssertRejected("a.txt", "utf-16le");
        _angpt.Train("--data.text", "a.txt", "--data.encoding", "utf-16le", "--training.steps", "1").AssertSucceeded();
    }

    [Fact]
    public void Devices_are_refused_wherever_a_file_is_named()
    {
        _angpt.Run("train", "/dev/zero").AssertRejected("/dev/zero", "device");
        _angpt.Run("prepare", "/dev/zero", "-o", "out", "--tokenizer", "bytes").AssertRejected("/dev/zero", "device");
        _angpt.Run("prepare", "corpus.txt", "-o", "out", "--tokenizer", "/dev/zero").AssertRejected("/dev/zero", "device");
        _angpt.Run("scaling", "fit", "/dev/zero").AssertRejected("/dev/zero", "device");
        _angpt.Train("--data.text", "/dev/zero").AssertRejected("/dev/zero", "device");
    }

    [Fact]
    public void A_single_shard_of_llmc_trains_with_the_vocabulary_given()
    {
        Directory.CreateDirectory(_angpt.In("shards"));
        foreach (var split in new[] { "train", "val" })
        {
            var bytes = new byte[1024 + (2 * 3000)];
            MemoryMarshal.Cast<byte, int>(bytes.AsSpan())[0] = 20240520;
            MemoryMarshal.Cast<byte, int>(bytes.AsSpan())[1] = 1;
            MemoryMarshal.Cast<byte, int>(bytes.AsSpan())[2] = 3000;
            for (var i = 0; i < 3000; i++)
                MemoryMarshal.Cast<byte, ushort>(bytes.AsSpan(1024))[i] = (ushort)(i % 400);
            File.WriteAllBytes(_angpt.In("shards", $"tiny_shakespeare_{split}.bin"), bytes);
        }

        string[] data = ["--data.text", "[]", "--data.path", "shards", "--training.steps", "2"];
        _angpt.Train([.. data, "--tokenizer.vocab_size", "50257"]).AssertSucceeded();
        _angpt.Train([.. data, "--tokenizer.vocab_size", "300", "--training.output", "small"]).AssertRejected("300", "50257");
    }

    [Fact]
    public void A_text_too_short_to_evaluate_on_is_named()
    {
        _angpt.Train("--training.steps", "1").AssertSucceeded();
        File.WriteAllText(_angpt.In("short.TXT"), "a few words");
        _angpt.Run("eval", "run", "--data", "short.TXT").AssertRejected("'short.TXT'", "too small", "give more text");
    }

    [Fact]
    public void One_signal_ends_prepare_and_nothing_is_left()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There are no signals to send on Windows.");
        using (var large = new StreamWriter(_angpt.In("large.jsonl")))
        {
            for (var i = 0; i < 600_000; i++)
                large.Write(Lines);
        }

        var process = _angpt.Start("prepare", "large.jsonl", "-o", "out", "--tokenizer", "bytes", "--workers", "1");
        while (!process.HasExited && Directory.GetFileSystemEntries(_angpt.Folder).Length < 3)
            Thread.Sleep(1);
        // SIGTERM: where the tests are a shell's background job, SIGINT is ignored from the start, and so it is in what they start.
        Assert.Equal(0, Kill(process.Id, signal: 15));
        var result = Angpt.Wait(process);
        Assert.Equal(3, result.ExitCode);
        Assert.Contains("stopping; the unfinished data set is removed", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("step", result.Error, StringComparison.Ordinal);
        Assert.Equal(["corpus.txt", "large.jsonl"], Directory.GetFileSystemEntries(_angpt.Folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    private Angpt.Result Prepare(string input, params string[] options) => _angpt
        .Run(["prepare", input, "-o", "out", "--tokenizer", "bytes", "--validation-fraction", "0", .. options]).AssertSucceeded();

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);
}
