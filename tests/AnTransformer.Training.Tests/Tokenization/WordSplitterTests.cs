using System.Security.Cryptography;
using System.Text;
using AnTransformer.Training.Tokenization.Normalization;
using AnTransformer.Training.Tokenization.Splitting;
using CsCheck;

namespace AnTransformer.Training.Tests.Tokenization;

public sealed class WordSplitterTests
{
    // All code points but the surrogates, in pieces: short enough for a pattern to be run on.
    private static readonly string[] AllCharacters =
    [
        .. Enumerable.Range(0, 0x110000).Where(Rune.IsValid).Chunk(16384)
            .Select(chunk => string.Concat(chunk.Select(value => new Rune(value).ToString()))),
    ];

    public static TheoryData<string, string, string, bool, string[]> Patterns
    {
        get
        {
            var data = new TheoryData<string, string, string, bool, string[]>();
            foreach (var item in ReferenceFiles.Read("patterns.json").AsArray())
            {
                data.Add(
                    item!["pattern"]!.GetValue<string>(),
                    item["text"]!.GetValue<string>(),
                    item["behavior"]!.GetValue<string>(),
                    item["invert"]!.GetValue<bool>(),
                    [.. item["pieces"]!.AsArray().Select(piece => piece!.GetValue<string>())]);
            }

            return data;
        }
    }

    public static TheoryData<string> Classes =>
        new(ReferenceFiles.Read("unicode.json").AsObject().Select(member => member.Key).Where(key => key != "NFC"));

    [Theory]
    [MemberData(nameof(Patterns))]
    public void Cuts_as_Oniguruma_does(string pattern, string text, string behavior, bool invert, string[] pieces) =>
        Assert.Equal(pieces, Split(new WordSplitter(pattern, Enum.Parse<SplitBehavior>(behavior), invert), text));

    [Theory]
    [MemberData(nameof(Classes))]
    public void Matches_the_characters_that_Oniguruma_does(string pattern)
    {
        var splitter = new WordSplitter(pattern, SplitBehavior.Removed, invert: true);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var piece in AllCharacters.SelectMany(text => Split(splitter, text)))
            hash.AppendData(Encoding.UTF8.GetBytes(piece));
        Assert.Equal(
            ReferenceFiles.Read("unicode.json")[pattern]!.GetValue<string>(), Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    [Fact]
    public void Normalizes_every_character_as_the_reference_does()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var value in Enumerable.Range(0, 0x110000).Where(Rune.IsValid))
        {
            var c = new Rune(value).ToString();
            var text = $"{c}|e{c}|x{c}\u0334|x\u0345{c}|{c}\u0301\u0323|\u1100{c}\u11A8\n";
            hash.AppendData(NfcNormalizer.Normalize(Encoding.UTF8.GetBytes(text)));
        }

        Assert.Equal(
            ReferenceFiles.Read("unicode.json")["NFC"]!.GetValue<string>(), Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    [Fact]
    public void Behaviors_keep_the_text_and_removal_splits_it_in_two()
    {
        string[] patterns = [@"\w+", @"\s", "a*", "(?=[a-z])", @"[\p{P}\p{S}]+|\d", @"\s+(?!\S)|\s+"];
        Gen.Select(Gen.OneOf(patterns), Texts.Bytes, Gen.Bool).Sample((pattern, text, invert) =>
        {
            foreach (var behavior in Enum.GetValues<SplitBehavior>().Where(behavior => behavior != SplitBehavior.Removed))
            {
                var pieces = Ranges(new WordSplitter(pattern, behavior, invert), text);
                Assert.All(pieces, piece => Assert.True(piece.End.Value > piece.Start.Value));
                Assert.Equal(text, pieces.SelectMany(piece => text[piece]));
            }

            var kept = Ranges(new WordSplitter(pattern, SplitBehavior.Removed, invert), text);
            var dropped = Ranges(new WordSplitter(pattern, SplitBehavior.Removed, !invert), text);
            Assert.Equal(text, kept.Concat(dropped).OrderBy(piece => piece.Start.Value).SelectMany(piece => text[piece]));
        });
    }

    [Theory]
    [InlineData("a{1", "begins no quantifier")]
    [InlineData("a{}", "begins no quantifier")]
    [InlineData("a{,}", "begins no quantifier")]
    [InlineData("a{2}?", "{n}?")]
    [InlineData("a{3,2}", "wrong order")]
    [InlineData("a**", "repetition of a repetition")]
    [InlineData("a+?+", "repetition of a repetition")]
    [InlineData("^*", "assertion")]
    [InlineData("(?=a)+", "assertion")]
    [InlineData("*a", "nothing to repeat")]
    [InlineData("a)", "no opening one")]
    [InlineData("(a", "not closed")]
    [InlineData("[a", "not closed")]
    [InlineData("[a-", "not closed")]
    [InlineData("(?<name>a)", "groups of the kind")]
    [InlineData("(?m:.)", "groups of the kind")]
    [InlineData("(?i)a", "groups of the kind")]
    [InlineData("(?#c)a", "groups of the kind")]
    [InlineData(@"\b", @"\b is not supported")]
    [InlineData(@"(a)\1", @"\1 is not supported")]
    [InlineData(@"\h", @"\h is not supported")]
    [InlineData(@"\R", @"\R is not supported")]
    [InlineData(@"\", "ends with a backslash")]
    [InlineData(@"\p{Han}", "general category")]
    [InlineData(@"\p{^L}", "general category")]
    [InlineData(@"\pL", "general category")]
    [InlineData(@"\x80", "not ASCII")]
    [InlineData(@"\x{1F600}", "hexadecimal")]
    [InlineData(@"\ud83d", "hexadecimal")]
    [InlineData(@"\u12", "hexadecimal")]
    [InlineData("\U0001F600", "beyond U+FFFF")]
    [InlineData("[a&&b]", "&&")]
    [InlineData("[[:alpha:]]", "within character classes")]
    [InlineData(@"[\W]", @"\W in a character class")]
    [InlineData(@"[\s-a]", "'-'")]
    [InlineData("[a-c-e]", "'-'")]
    [InlineData("[c-a]", "a range")]
    [InlineData(@"[a-\d]", "a range")]
    [InlineData("[\u0080-\uFFFF]", "stands for")]
    [InlineData("\uFF3A", "stands for")]
    [InlineData(@"(?i:\p{Lu})", "without regard to case")]
    [InlineData(@"(?i:\w)", "without regard to case")]
    [InlineData("(?i:é)", "without regard to case")]
    [InlineData("(?i:'ss)", "without regard to case")]
    [InlineData("(?i:[à-ü])", "without regard to case")]
    [InlineData("(?i:[\u0000-\u3100])", "large ranges")]
    [InlineData("(?i:[\u0000-\u0300])", "without regard to case")]
    public void What_might_mean_something_else_is_refused(string pattern, string message)
    {
        var error = Assert.Throws<NotSupportedException>(() => new WordSplitter(pattern));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    private static List<string> Split(WordSplitter splitter, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return Ranges(splitter, bytes).ConvertAll(piece => Encoding.UTF8.GetString(bytes[piece]));
    }

    private static List<Range> Ranges(WordSplitter splitter, byte[] text)
    {
        var pieces = new List<Range>();
        splitter.Split(text, pieces);
        return pieces;
    }
}
