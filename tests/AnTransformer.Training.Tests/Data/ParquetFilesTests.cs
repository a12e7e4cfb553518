using System.Text;
using AnTransformer.Training.Data.Preparation;

namespace AnTransformer.Training.Tests.Data;

/// <summary>Parquet files of other writers (fixtures/parquet/README.md), whole and damaged.</summary>
public sealed class ParquetFilesTests : IDisposable
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "fixtures", "parquet");

    private static readonly string[] Texts =
        [.. Enumerable.Range(0, 40).Where(row => row % 5 != 0).Select(row => $"document {row % 13}")];

    private readonly TemporaryDirectory _directory = new();

    public static TheoryData<string> Readable => new(Directory.GetFiles(Folder, "*.parquet").Select(path => Path.GetFileName(path))
        .Where(name => !name.Contains("list", StringComparison.Ordinal) && !name.Contains("numbers", StringComparison.Ordinal)
            && !name.Contains("nested", StringComparison.Ordinal)).Order(StringComparer.Ordinal));

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Every_codec_and_encoding_is_there()
    {
        string[] parts = ["snappy", "gzip", "zstd", "lz4_raw", "brotli", "uncompressed", "large", "delta_byte_array", "plain", "blob", "v2"];
        Assert.All(parts, part => Assert.Contains(Readable, row => row.Data.Contains(part, StringComparison.Ordinal)));
    }

    [Theory]
    [MemberData(nameof(Readable))]
    public void Files_of_other_writers_are_read(string name) => Assert.Equal(Texts, Read(Path.Combine(Folder, name)));

    [Fact]
    public void A_field_of_a_structure_is_named_by_its_path()
    {
        var path = Path.Combine(Folder, "duckdb-nested.parquet");
        Assert.Equal(Texts, Read(path, "meta.text"));
        Assert.Contains("meta.text", Assert.Throws<InvalidInputException>(() => Read(path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("duckdb-list.parquet", "text.list.element", "in lists")]
    [InlineData("duckdb-numbers.parquet", "text", "neither a string nor bytes")]
    [InlineData("duckdb-numbers.parquet", "d", "neither a string nor bytes")]
    public void Columns_without_text_are_refused(string name, string column, string words)
    {
        var message = Assert.Throws<InvalidInputException>(() => Read(Path.Combine(Folder, name), column)).Message;
        Assert.All([name, column, words], part => Assert.Contains(part, message, StringComparison.Ordinal));
    }

    [Fact]
    public void A_value_above_the_limit_is_refused()
    {
        var options = new DocumentSourceOptions { MaxDocumentBytes = 10, SectionBytes = 0 };
        var path = Path.Combine(Folder, "duckdb-snappy-v1.parquet");
        var message = Assert.Throws<InvalidInputException>(() => DocumentSource.Read([path], options).ToList()).Message;
        Assert.Contains("more than 10 bytes", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Damaged_files_are_read_or_refused_in_one_sentence()
    {
        var files = Directory.GetFiles(Folder, "*.parquet").Order(StringComparer.Ordinal).Select(File.ReadAllBytes).ToArray();
        var path = _directory.At("damaged.parquet");
        var (read, refused) = (0, 0);
        for (var seed = 0; seed < 3000; seed++)
        {
            File.WriteAllBytes(path, Damage(files[seed % files.Length], new Random(seed)));
            try
            {
                Read(path);
                read++;
            }
            catch (InvalidInputException exception)
            {
                refused++;
                Assert.Contains(path, exception.Message, StringComparison.Ordinal);
                Assert.DoesNotContain('\n', exception.Message);
            }
        }

        // Both happen, or the damage would be of no use.
        Assert.True(read > 100 && refused > 100, $"{read} read, {refused} refused");
    }

    /// <summary>Changes a few bytes: of the footer with its sizes, of the page headers at the start, or anywhere; or cuts the file.</summary>
    private static byte[] Damage(byte[] original, Random random)
    {
        var bytes = original.ToArray();
        var footer = bytes.Length - 8 - BitConverter.ToInt32(bytes, bytes.Length - 8);
        var place = random.Next(4);
        for (var count = random.Next(1, 9); count > 0; count--)
        {
            var at = place switch
            {
                0 => random.Next(footer, bytes.Length),
                1 => random.Next(4, Math.Min(64, bytes.Length)),
                2 => random.Next(bytes.Length - 12, bytes.Length),
                _ => random.Next(bytes.Length),
            };
            bytes[at] = random.Next(4) switch
            {
                0 => (byte)random.Next(256),
                1 => (byte)(bytes[at] ^ (1 << random.Next(8))),
                2 => 0xFF,
                _ => (byte)(bytes[at] + random.Next(-3, 4)),
            };
        }

        return random.Next(20) == 0 ? bytes[..random.Next(bytes.Length)] : bytes;
    }

    private static List<string> Read(string path, string column = "text") =>
        [.. DocumentSource.Read([path], new() { TextColumn = column }).Select(document => Encoding.UTF8.GetString(document.Text.Span))];
}
