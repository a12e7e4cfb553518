using System.Text;
using System.Text.RegularExpressions;
using AnTransformer.Training.Tokenization.Splitting;
using CsCheck;

namespace AnTransformer.Training.Tests.Tokenization;

public sealed partial class Gpt2PreTokenizerTests
{
    [GeneratedRegex(Gpt2PreTokenizer.Pattern, RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 60_000)]
    private static partial Regex Gpt2Regex();

    [Fact]
    public void Cuts_where_the_regular_expression_does() =>
        Texts.Unicode.Sample(text => Assert.Equal(RegexWords(text), ScannedWords(Encoding.UTF8.GetBytes(text))), iter: 20_000);

    [Fact]
    public void Cuts_the_novels_where_the_regular_expression_does()
    {
        var text = Encoding.UTF8.GetString(Texts.Austen.AsSpan(0, 1_000_000));
        Assert.Equal(RegexWords(text), ScannedWords(Encoding.UTF8.GetBytes(text)));
    }

    [Fact]
    public void Classifies_every_character_as_the_regular_expression_does()
    {
        // After a letter, a number and a mark, one of which it must join unless it is a space.
        foreach (var block in Enumerable.Range(0, 0x110000).Where(Rune.IsValid).Chunk(1024))
        {
            var text = string.Concat(block.Select(value => new Rune(value)).Select(rune => $"a{rune}1{rune}!{rune}"));
            Assert.Equal(RegexWords(text), ScannedWords(Encoding.UTF8.GetBytes(text)));
        }
    }

    [Theory]
    [InlineData("I'll don't we'RE", "I|'ll| don|'t| we|'|RE")]
    [InlineData("a  b", "a| | b")]
    [InlineData("a \n b  ", "a| \n| b|  ")]
    [InlineData("a\n\nb\n", "a|\n|\n|b|\n")]
    [InlineData("x=12.5%  ", "x|=|12|.|5|%|  ")]
    [InlineData(" 's", " '|s")]
    [InlineData("'l", "'|l")]
    [InlineData("\u00A0x\u00A0\u00A0y", "\u00A0|x|\u00A0|\u00A0|y")]
    public void Cuts_examples(string text, string words) =>
        Assert.Equal(words.Split('|'), ScannedWords(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void Takes_each_invalid_byte_for_a_mark()
    {
        // An overlong form, a surrogate, a truncated character: as many marks as bytes.
        byte[] text = [.. "ab"u8, 0xC0, 0xAF, 0xED, 0xA0, 0x80, .. "c "u8, 0xE2, 0x82];
        var lengths = new List<int>();
        for (var position = 0; position < text.Length; position += lengths[^1])
            lengths.Add(Gpt2PreTokenizer.NextLength(text.AsSpan(position)));
        Assert.Equal([2, 5, 1, 3], lengths);
    }

    private static List<string> ScannedWords(byte[] text)
    {
        var words = new List<string>();
        for (var position = 0; position < text.Length;)
        {
            var length = Gpt2PreTokenizer.NextLength(text.AsSpan(position));
            words.Add(Encoding.UTF8.GetString(text, position, length));
            position += length;
        }

        return words;
    }

    // .NET's expressions see surrogates, not characters: match a text in which a stand-in of the same kind takes their place.
    private static List<string> RegexWords(string text)
    {
        var runes = text.EnumerateRunes().ToArray();
        var flat = string.Concat(runes.Select(rune => rune.IsBmp ? (char)rune.Value
            : Rune.IsLetter(rune) ? 'ǅ'
            : Rune.IsNumber(rune) ? '½'
            : '※'));
        return [.. Gpt2Regex().Matches(flat).Select(match => string.Concat(runes[match.Index..(match.Index + match.Length)]))];
    }
}
