using System.Text;
using AnTransformer.Training.Tokenization;
using CsCheck;

namespace AnTransformer.Training.Tests.Tokenization;

public sealed class StreamingDecoderTests
{
    [Fact]
    public void Gives_characters_when_they_are_complete()
    {
        var decoder = new StreamingDecoder(new ByteTokenizer());
        var pieces = Encoding.UTF8.GetBytes("aé😀").Select(value => decoder.Append(value));
        Assert.Equal(["a", "", "é", "", "", "", "😀"], pieces);
        Assert.Equal("", decoder.Flush());
    }

    [Fact]
    public void What_stays_incomplete_is_replaced_and_the_next_stream_starts_afresh()
    {
        var decoder = new StreamingDecoder(new ByteTokenizer());
        Assert.Equal("", decoder.Append(0xF0));
        Assert.Equal("", decoder.Append(0x9F));
        Assert.Equal("", decoder.Append(256));
        Assert.Equal("\uFFFD", decoder.Flush());
        Assert.Equal("a", decoder.Append('a'));
        Assert.Throws<ArgumentOutOfRangeException>(() => decoder.Append(300));
    }

    [Fact]
    public void The_pieces_make_the_whole() => Texts.Bytes.Sample(bytes =>
    {
        var tokenizer = new ByteTokenizer();
        var decoder = new StreamingDecoder(tokenizer);
        var text = new StringBuilder();
        foreach (var value in bytes)
            text.Append(decoder.Append(value));
        text.Append(decoder.Flush());
        Assert.Equal(Encoding.UTF8.GetString(bytes), text.ToString());
    });
}
