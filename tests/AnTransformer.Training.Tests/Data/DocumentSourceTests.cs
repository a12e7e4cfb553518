using System.IO.Compression;
using System.Text;
using System.Text.Json;
using AnTransformer.Training.Data.Preparation;
using CsCheck;
using Parquet.Schema;
using ZstdSharp;

namespace AnTransformer.Training.Tests.Data;

public sealed class DocumentSourceTests : IDisposable
{
    private static readonly string[] Pieces = ["word ", "longer-word", "é", "漢字", "😀", "\n", "\n\n", "\r\n\r\n", " "];

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void SectionsTogetherAreTheFile()
    {
        var piece = Gen.Int[0, Pieces.Length - 1].Select(i => Pieces[i]);
        Gen.Select(piece.Array[0, 200], Gen.Int[16, 200]).Sample((pieces, limit) =>
        {
            var text = string.Concat(pieces);
            var path = _directory.Write($"{Guid.NewGuid()}.txt", text);
            var sections = Read(path, new() { SectionBytes = limit });
            Assert.Equal(text, string.Concat(sections));
            Assert.All(sections, section => Assert.InRange(Encoding.UTF8.GetByteCount(section), 1, limit));
            Assert.DoesNotContain(sections, section => section.Contains('\uFFFD', StringComparison.Ordinal));
        }, iter: 200, threads: 1);
    }

    [Fact]
    public void SectionsEndAtTheBestPlace()
    {
        var text = new string('a', 9) + "\n\n" + "b b\n" + new string('c', 40);
        Assert.Equal(["aaaaaaaaa\n\n", "b b\n" + new string('c', 12), new string('c', 16), new string('c', 12)],
            Read(_directory.Write("a.txt", text), new() { SectionBytes = 16 }));
        Assert.Equal([text], Read(_directory.At("a.txt"), new() { SectionBytes = 0 }));
    }

    [Fact]
    public void BytesThatAreNotTextAreKept()
    {
        var bytes = Enumerable.Range(0, 1000).Select(i => (byte)(128 + (i % 128))).ToArray();
        var path = _directory.Write("a.txt", bytes);
        var read = DocumentSource.Read([path], new() { SectionBytes = 64 }).SelectMany(document => document.Text.ToArray());
        Assert.Equal(bytes, read);
    }

    [Theory]
    [InlineData("a<|x|>b", new[] { "a", "b" })]
    [InlineData("<|x|><|x|>a\n<|x|>", new[] { "a\n" })]
    [InlineData("a<|x|b", new[] { "a<|x|b" })]
    [InlineData("", new string[0])]
    public void ASeparatorCutsText(string text, string[] expected) =>
        Assert.Equal(expected, Read(_directory.Write("a.txt", text), new() { Separator = "<|x|>" }));

    [Fact]
    public void ASeparatorIsFoundAcrossReads()
    {
        var documents = Enumerable.Range(0, 2000).Select(i => new string((char)('a' + (i % 26)), i)).Skip(1).ToArray();
        Assert.Equal(documents,
            Read(_directory.Write("a.txt", string.Join("<|x|>", documents)), new() { Separator = "<|x|>" }));
    }

    [Theory]
    [InlineData(0, null)]
    [InlineData(16, "|")]
    public void ADocumentAboveTheLimitIsRefused(int sectionBytes, string? separator)
    {
        var path = _directory.Write("a.txt", new string('x', 1001));
        var options = new DocumentSourceOptions { SectionBytes = sectionBytes, Separator = separator, MaxDocumentBytes = 1000 };
        Assert.Contains("more than 1000 bytes", Message(path, options), StringComparison.Ordinal);
        Assert.Single(Read(path, options with { MaxDocumentBytes = 1001 }));
    }

    [Fact]
    public void JsonStringsAreUnescaped() => Gen.String[Gen.Char, 0, 100].Array[1, 10].Sample(texts =>
    {
        var lines = texts.Select(text =>
            JsonSerializer.Serialize(new { id = 3, meta = new { text = "no" }, text, after = new[] { 1 } }));
        var path = _directory.Write($"{Guid.NewGuid()}.jsonl", string.Join("\r\n\n", lines));
        // The encoder writes U+FFFD for lone surrogates, too.
        Assert.Equal(texts.Where(text => text.Length > 0)
            .Select(text => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text))), Read(path));
    }, iter: 100, threads: 1);

    [Fact]
    public void LoneSurrogatesAreReplacedAndForeignBytesKept()
    {
        byte[] line = [.. "{\"text\":\"\\ud83d\\ude00 \\ud83d \\ude00\\n\\u0041\\/\\\\\\\"\\b\\f\\r\\t"u8, 0xFF, .. "é\"}\n"u8];
        byte[] plain = [.. "{\"text\":\"x"u8, 0xFF, .. "\"}"u8];
        var documents = DocumentSource.Read([_directory.Write("a.jsonl", [.. line, .. plain])])
            .Select(document => document.Text.ToArray()).ToList();
        Assert.Equal((byte[])[.. "😀 \uFFFD \uFFFD\nA/\\\"\b\f\r\t"u8, 0xFF, .. "é"u8], documents[0]);
        Assert.Equal((byte[])[(byte)'x', 0xFF], documents[1]);
    }

    [Theory]
    [InlineData("{\"text\": \"ok\"}\n\n{\"text\": oops}", "line 3", "not valid JSON")]
    [InlineData("{\"text\": \"ok\"}\n{\"text\": \"cut", "line 2", "not valid JSON")]
    [InlineData("{\"text\": \"ok\"} {}", "line 1", "not valid JSON")]
    [InlineData("{\"body\": \"ok\"}", "line 1", "no field \"text\"")]
    [InlineData("{\"text\": 3}", "line 1", "no string")]
    [InlineData("[1]", "line 1", "not a JSON object")]
    public void MalformedLinesAreNamed(string content, params string[] parts)
    {
        var message = Message(_directory.Write("a.jsonl", content));
        Assert.All([_directory.At("a.jsonl"), .. parts], part => Assert.Contains(part, message, StringComparison.Ordinal));
    }

    [Fact]
    public void NullAndEmptyTextsAreSkippedAndTheFieldCanBeNamed()
    {
        var path = _directory.Write("a.jsonl", "\uFEFF{\"body\":null}\n{\"body\":\"\"}\n  \n{\"body\":\"x\",\"text\":\"y\"}");
        Assert.Equal(["x"], Read(path, new() { TextField = "body" }));
    }

    [Fact]
    public void VeryLongLinesAreRead()
    {
        var bytes = new byte[100_000_000];
        bytes.AsSpan().Fill((byte)'x');
        "{\"text\":\""u8.CopyTo(bytes);
        "\"}\n"u8.CopyTo(bytes.AsSpan()[^3..]);
        var document = Assert.Single(DocumentSource.Read([_directory.Write("a.jsonl", bytes)]));
        Assert.Equal(bytes.Length - 12, document.Text.Length);
    }

    [Theory]
    [InlineData(".txt.gz")]
    [InlineData(".txt.zst")]
    [InlineData(".jsonl.gz")]
    [InlineData(".jsonl.zst")]
    public void CompressedFilesOfSeveralMembersAreRead(string extension)
    {
        var json = extension.Contains("jsonl", StringComparison.Ordinal);
        var texts = Enumerable.Range(0, 3000).Select(i => $"document {i * 7919 % 3001}").ToArray();
        var lines = texts.Select(text => json ? JsonSerializer.Serialize(new { text }) + "\n" : text + "|").ToArray();
        var first = Compress(string.Concat(lines[..1000]), extension);
        var second = Compress(string.Concat(lines[1000..]), extension);
        var path = _directory.Write("a" + extension, [.. first, .. second]);
        Assert.Equal(texts, Read(path, new() { Separator = "|" }));

        var truncated = _directory.Write("truncated" + extension, [.. first, .. second[..^20]]);
        Assert.Contains(truncated, Message(truncated, new() { Separator = "|" }), StringComparison.Ordinal);
        second[second.Length / 2] ^= 0xFF;
        second[^10] ^= 0xFF;
        var corrupt = _directory.Write("corrupt" + extension, [.. first, .. second]);
        Assert.Contains(corrupt, Message(corrupt, new() { Separator = "|" }), StringComparison.Ordinal);
        var foreign = _directory.Write("foreign" + extension, "this is no compressed file at all");
        Assert.Contains(foreign, Message(foreign), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ParquetColumnsAreRead(bool asBytes)
    {
        string?[][] groups = [["höllo", "", null, "x"], ["second group", "x"], [null, "last"]];
        var path = await WriteParquet("a.parquet", groups, asBytes);
        Assert.Equal(["höllo", "x", "second group", "x", "last"], Read(path));
        Assert.Contains("id, text", Message(path, new() { TextColumn = "body" }), StringComparison.Ordinal);
        Assert.Contains("neither a string nor bytes", Message(path, new() { TextColumn = "id" }), StringComparison.Ordinal);

        var bytes = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        foreach (var (name, content) in new[] { ("cut", bytes[..^9]), ("text", "no parquet"u8.ToArray()), ("empty", []),
            ("hollow", Hollow(bytes)) })
        {
            var broken = _directory.Write(name + ".parquet", content);
            Assert.Contains(broken, Message(broken), StringComparison.Ordinal);
        }

        static byte[] Hollow(byte[] bytes)
        {
            // The file ends with its metadata, their length (4 bytes) and a magic number (4 bytes): clear all pages before that.
            var hollow = bytes.ToArray();
            var metadataLength = BitConverter.ToInt32(bytes, bytes.Length - 8);
            hollow.AsSpan(4, bytes.Length - 12 - metadataLength).Clear();
            return hollow;
        }
    }

    [Fact]
    public void InputsAreFilesDirectoriesAndPatternsEachFileOnce()
    {
        foreach (var name in new[] { "in/b.txt", "in/a.txt", "in/sub/c.jsonl", "in/sub/deep/d.txt.gz", "in/skip.md",
            "in/.hidden.txt", "other.txt" })
            _directory.Write(name, "");
        var source = Open(_directory.At("other.txt"), _directory.At("in"), _directory.At("in/*.txt"));
        Assert.Equal(["other.txt", "in/a.txt", "in/b.txt", "in/sub/c.jsonl", "in/sub/deep/d.txt.gz"], Names(source));
        Assert.Equal(["in/a.txt", "in/b.txt", "other.txt"], Names(Open(_directory.At("**/*.txt"))));
        Assert.Equal(["in/sub/deep/d.txt.gz"], Names(Open(_directory.At("i?/**/d*.gz"))));
        foreach (var input in new[] { "nowhere", "in/skip.md", "*.parquet", "none/*.txt" })
            Assert.Contains(input, Message(_directory.At(input)), StringComparison.Ordinal);
        Assert.Throws<InvalidInputException>(() => Open());

        IEnumerable<string> Names(DocumentSource source) =>
            source.Files.Select(file => Path.GetRelativePath(_directory.Root, file.Path).Replace('\\', '/'));
    }

    [Fact]
    public void ProgressEndsAtTheTotal()
    {
        _directory.Write("in/a.txt.gz", Compress(new string('x', 100_000), ".gz"));
        _directory.Write("in/b.txt", new string('y', 100_000));
        var source = Open(_directory.At("in"));
        var positions = source.Documents(TestContext.Current.CancellationToken).Select(_ => source.BytesRead).ToList();
        Assert.Equal(positions.Order(), positions);
        Assert.Equal(source.TotalBytes, source.BytesRead);
        Assert.True(source.TotalBytes < 110_000);
    }

    private static DocumentSource Open(params string[] inputs) => DocumentSource.Open(inputs, null, TestContext.Current.CancellationToken);

    private static List<string> Read(string input, DocumentSourceOptions? options = null) =>
        [.. DocumentSource.Read([input], options).Select(document => Encoding.UTF8.GetString(document.Text.Span))];

    private static string Message(string input, DocumentSourceOptions? options = null) =>
        Assert.Throws<InvalidInputException>(() => Read(input, options)).Message;

    private static byte[] Compress(string text, string extension)
    {
        var output = new MemoryStream();
        using (Stream stream = extension.EndsWith(".gz", StringComparison.Ordinal)
            ? new GZipStream(output, CompressionLevel.Fastest) : new CompressionStream(output))
        {
            stream.Write(Encoding.UTF8.GetBytes(text));
        }
        return output.ToArray();
    }

    private async Task<string> WriteParquet(string name, string?[][] groups, bool asBytes)
    {
        var id = new DataField<int>("id");
        DataField text = asBytes ? new DataField<byte[]>("text") : new DataField<string>("text");
        await using var stream = File.Create(_directory.At(name));
        await using var writer = await Parquet.ParquetWriter.CreateAsync(new ParquetSchema(id, text), stream);
        foreach (var group in groups)
        {
            using var row = writer.CreateRowGroup();
            await row.WriteAsync<int>(id, new int[group.Length]);
            if (asBytes)
                await row.WriteAsync(text, group.Select(value => value is null ? null! : Encoding.UTF8.GetBytes(value))
                    .ToArray());
            else
                await row.WriteAsync(text, group!);
        }
        return stream.Name;
    }
}
