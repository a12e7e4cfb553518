using System.IO.Compression;
using System.Text;
using AnTransformer.Training.Data.Preparation;
using CsCheck;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace AnTransformer.Training.Tests.Data;

public sealed class CompressedFilesTests : IDisposable
{
    private static readonly string Text = string.Concat(Enumerable.Range(0, 5000).Select(i => $"document {i * 7919 % 3001}\n"));

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Members_of_any_size_are_read_to_the_last()
    {
        // An empty member is ten zeros after its header, which hide where its trailer begins.
        Gen.OneOf(Gen.Int[0, 2], Gen.Int[0, 3000]).Array[1, 6].Sample(sizes =>
        {
            var parts = sizes.Select((size, i) => Text.Substring(i * 100, size)).ToArray();
            var path = _directory.Write($"{Guid.NewGuid()}.txt.gz", parts.SelectMany(Gzip).ToArray());
            Assert.Equal(string.Concat(parts), Read(path));
        }, iter: 100, threads: 1);
    }

    [Fact]
    public void Headers_may_hold_names_and_comments_and_padding_may_follow()
    {
        var gzip = Gzip(Text);
        byte[] header = [.. gzip[..3], 2 | 4 | 8 | 16, .. gzip[4..10], 3, 0, 1, 2, 3, .. "name"u8, 0, .. "a comment"u8, 0, 7, 7];
        Assert.Equal(Text, Read(_directory.Write("a.txt.gz", [.. header, .. gzip[10..], .. new byte[512]])));
        var extra = new byte[60_000];
        byte[] large = [.. gzip[..3], 4, .. gzip[4..10], 0x60, 0xEA, .. extra];
        Assert.Equal(Text, Read(_directory.Write("b.txt.gz", [.. large, .. gzip[10..]])));
    }

    [Fact]
    public void What_is_wrong_with_a_gzip_file_is_said()
    {
        var gzip = Gzip(Text);
        AssertRefused(".gz", Encoding.UTF8.GetBytes("{\"text\":\"a\"}\n"), "is no gzip file");
        AssertRefused(".gz", [], "truncated");
        AssertRefused(".gz", gzip[..5], "truncated");
        AssertRefused(".gz", gzip[..^100], "truncated");
        AssertRefused(".gz", gzip[..^3], "truncated");
        AssertRefused(".gz", [.. gzip, .. gzip[..^50]], "truncated");
        AssertRefused(".gz", Flip(gzip, gzip.Length - 8), "wrong checksum");
        AssertRefused(".gz", Flip(gzip, gzip.Length - 2), "wrong checksum");
        AssertRefused(".gz", [.. Flip(gzip, gzip.Length - 8), .. gzip], "wrong checksum");
        AssertRefused(".gz", [.. gzip, .. "and more"u8], "followed by bytes that are none");
        AssertRefused(".gz", [.. gzip, .. Flip(gzip, 0)], "followed by bytes that are none");
        AssertRefused(".gz", Flip(gzip, 2), "header");
    }

    [Fact]
    public void What_is_wrong_with_a_zstandard_file_is_said()
    {
        var zstd = Zstd(Text);
        Assert.Equal(Text + Text, Read(_directory.Write("two.txt.zst", [.. zstd, .. zstd])));
        AssertRefused(".zst", Encoding.UTF8.GetBytes("plain text"), "is no Zstandard file");
        AssertRefused(".zst", [], "truncated");
        AssertRefused(".zst", zstd[..3], "truncated");
        AssertRefused(".zst", zstd[..^20], "truncated");
        AssertRefused(".zst", Flip(zstd, zstd.Length - 2), "wrong checksum");
        AssertRefused(".zst", [.. zstd, .. "and more"u8], "followed by bytes that are none");
    }

    [Theory]
    [InlineData(".gz")]
    [InlineData(".zst")]
    public void A_changed_file_is_never_read_as_another_text(string ending)
    {
        var compressed = ending == ".gz" ? Gzip(Text) : Zstd(Text);
        var random = new Random(1);
        for (var i = 0; i < 500; i++)
        {
            var changed = Flip(compressed, random.Next(compressed.Length));
            var path = _directory.Write("changed.txt" + ending, i % 10 == 0 ? changed[..random.Next(changed.Length)] : changed);
            try
            {
                // A few bits of the headers (times, names of systems) mean nothing.
                Assert.Equal(Text, Read(path));
            }
            catch (InvalidInputException exception)
            {
                Assert.Contains(path, exception.Message, StringComparison.Ordinal);
            }
        }
    }

    private void AssertRefused(string ending, byte[] bytes, string words)
    {
        var path = _directory.Write("a.txt" + ending, bytes);
        var message = Assert.Throws<InvalidInputException>(() => Read(path)).Message;
        Assert.Contains(path, message, StringComparison.Ordinal);
        Assert.Contains(words, message, StringComparison.Ordinal);
    }

    private static string Read(string path) =>
        string.Concat(DocumentSource.Read([path]).Select(document => Encoding.UTF8.GetString(document.Text.Span)));

    private static byte[] Flip(byte[] bytes, int at)
    {
        var flipped = bytes.ToArray();
        flipped[at] ^= 0x55;
        return flipped;
    }

    private static byte[] Gzip(string text)
    {
        var output = new MemoryStream();
        using (var stream = new GZipStream(output, CompressionLevel.Fastest))
            stream.Write(Encoding.UTF8.GetBytes(text));
        // .NET writes nothing at all for nothing.
        return output.ToArray() is { Length: > 0 } bytes ? bytes : [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    }

    private static byte[] Zstd(string text)
    {
        var output = new MemoryStream();
        using (var stream = new CompressionStream(output))
        {
            stream.SetParameter(ZSTD_cParameter.ZSTD_c_checksumFlag, 1);
            stream.Write(Encoding.UTF8.GetBytes(text));
        }

        return output.ToArray();
    }
}
