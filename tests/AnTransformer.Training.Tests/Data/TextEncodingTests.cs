using System.Text;
using AnTransformer.Training.Data.Preparation;

namespace AnTransformer.Training.Tests.Data;

public sealed class TextEncodingTests : IDisposable
{
    private const string Text = "Plain English, ein Gruß, 漢字 and 😀.\n\n";

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("utf-8")]
    [InlineData("utf-16")]
    [InlineData("utf-16BE")]
    [InlineData("utf-32")]
    [InlineData("utf-32BE")]
    public void A_byte_order_mark_says_what_the_text_is(string name)
    {
        var encoding = Encoding.GetEncoding(name);
        var text = string.Concat(Enumerable.Repeat(Text, 5000));
        byte[] bytes = [.. encoding.GetPreamble(), .. encoding.GetBytes(text)];
        Assert.Equal(text, Read(_directory.Write("a.txt", bytes)));
        Assert.Equal(text, Read(_directory.Write("b.txt", bytes), TextEncoding.Latin1));

        var line = encoding.GetBytes("{\"text\":\"" + Text.Trim() + "\"}\n");
        Assert.Equal(Text.Trim(), Read(_directory.Write("a.jsonl", [.. encoding.GetPreamble(), .. line])));
    }

    [Theory]
    [InlineData("utf-16", TextEncoding.Utf16LittleEndian)]
    [InlineData("utf-16BE", TextEncoding.Utf16BigEndian)]
    public void UTF16_without_a_mark_is_refused_until_it_is_named(string name, TextEncoding encoding)
    {
        var path = _directory.Write("a.txt", Encoding.GetEncoding(name).GetBytes(Text));
        var message = Assert.Throws<InvalidInputException>(() => Read(path)).Message;
        Assert.Contains(path, message, StringComparison.Ordinal);
        Assert.Contains("--encoding " + TextEncodings.Names[(int)encoding], message, StringComparison.Ordinal);
        Assert.Equal(encoding, TextEncodings.Parse(TextEncodings.Names[(int)encoding]));
        Assert.Equal(Text, Read(path, encoding));
    }

    [Fact]
    public void Chinese_in_UTF16_without_a_mark_is_noticed_by_its_spaces()
    {
        var chinese = string.Concat(Enumerable.Repeat("学而时习之，不亦说乎？有朋自远方来，不亦乐乎？人不知而不愠，不亦君子乎？\n", 100));
        var path = _directory.Write("a.txt", Encoding.Unicode.GetBytes(chinese));
        Assert.Contains("utf-16le", Assert.Throws<InvalidInputException>(() => Read(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_above_ASCII_can_be_Latin()
    {
        var path = _directory.Write("a.txt", [0x47, 0x72, 0xFC, 0xDF, 0x65, 0x20, 0x93, 0x80, 0x94]);
        Assert.Equal("Grüße \u0093\u0080\u0094", Read(path, TextEncoding.Latin1));
        Assert.Equal("Grüße “€”", Read(path, TextEncoding.Windows1252));
    }

    [Fact]
    public void A_few_NULs_are_kept_and_warned_about_and_many_only_on_demand()
    {
        var few = _directory.Write("few.txt", new string('x', 1000) + "\0");
        var tokenizer = new OffsetByteTokenizer();
        var result = DatasetPreparation.Run(
            new PreparationOptions { Inputs = [few], OutputDirectory = _directory.At("out"), ValidationFraction = 0 }, tokenizer,
            cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(1, result.Info.NulBytes);
        Assert.Contains(result.Warnings, warning => warning.Contains("1 bytes of the text are NUL", StringComparison.Ordinal));

        var many = _directory.Write("many.txt", "a\0b\0\0c");
        Assert.Contains("NUL", Assert.Throws<InvalidInputException>(() => Read(many)).Message, StringComparison.Ordinal);
        Assert.Equal("a\0b\0\0c", Read(many, TextEncoding.Utf8));
    }

    [Fact]
    public void Names_of_encodings_are_those_of_the_configuration()
    {
        Assert.Equal(Enum.GetValues<TextEncoding>().Length, TextEncodings.Names.Count);
        Assert.Contains("latin1", Assert.Throws<InvalidInputException>(() => TextEncodings.Parse("klingon")).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidInputException>(() => DocumentSource.Read([_directory.Root], new() { Encoding = (TextEncoding)77 }));
    }

    private static string Read(string path, TextEncoding encoding = TextEncoding.Auto) => string.Concat(
        DocumentSource.Read([path], new() { Encoding = encoding }).Select(document => Encoding.UTF8.GetString(document.Text.Span)));
}
