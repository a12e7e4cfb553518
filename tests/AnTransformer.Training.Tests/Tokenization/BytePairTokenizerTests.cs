using System.Text;
using AnTransformer.Training.Tokenization;
using AnTransformer.Training.Tokenization.BytePairs;
using AnTransformer.Training.Tokenization.Files;
using AnTransformer.Training.Tokenization.Splitting;
using CsCheck;

namespace AnTransformer.Training.Tests.Tokenization;

public sealed class BytePairTokenizerTests
{
    private static readonly Tokenizer Small = LoadSmall();

    // Learned from the novels; the ids below are those of Hugging Face tokenizers 0.23 for the file it saves.
    private static readonly BytePairTokenizer Novels =
        BytePairTrainerTests.Train([Texts.Austen], new BytePairTrainerOptions { VocabularySize = 4096 }).Tokenizer;

    [Fact]
    public void Merges_as_the_reference_does()
    {
        var names = TokenizerJson.Names().Select((name, id) => (name, id)).ToDictionary(x => x.name, x => x.id);
        var ranks = TokenizerJson.Merges.Select((pair, rank) => (pair, rank)).ToDictionary(x => x.pair, x => x.rank);

        // One run of letters, so one word; long ones take the path with the heap.
        var words = Gen.Frequency((1, Gen.Int[1, 20]), (1, Gen.Int[50, 300]))
            .SelectMany(length => Gen.OneOf("abcdehilnorst".ToCharArray()).Array[length])
            .Select(characters => new string(characters));
        words.Sample(
            word => Assert.Equal(
                ReferenceBytePairs.Encode(word, ranks).Select(part => names[ReferenceBytePairs.ToFileText(part)]),
                Small.Encode(word)),
            iter: 1_000);
    }

    [Fact]
    public void Encodes_the_novels_as_the_reference_does()
    {
        using var directory = new TemporaryDirectory();
        Novels.Save(directory.Path);
        var model = TokenizerJson.Parse(directory.Read("tokenizer.json"))["model"]!;
        var merges = model["merges"]!.AsArray().Select(merge => merge!.GetValue<string>().Split(' ')).ToList();
        var ranks = merges.Select((pair, rank) => (pair, rank)).ToDictionary(x => (x.pair[0], x.pair[1]), x => x.rank);

        var text = Texts.Austen.AsSpan(2_000_000, 200_000).ToArray();
        var expected = new List<int>();
        for (var position = 0; position < text.Length;)
        {
            var length = Gpt2PreTokenizer.NextLength(text.AsSpan(position));
            var word = ReferenceBytePairs.ToFileText(Encoding.Latin1.GetString(text, position, length));
            expected.AddRange(ReferenceBytePairs.Encode(word, ranks).Select(part => model["vocab"]![part]!.GetValue<int>()));
            position += length;
        }

        var tokens = new List<int>();
        Novels.Encode(text, tokens);
        Assert.Equal(expected, tokens);
    }

    [Theory]
    [InlineData(
        "It is a truth universally acknowledged, that a single man in possession of a good fortune",
        "934,366,258,1988,497,72,1155,552,3108,11,338,258,3470,547,293,2899,313,281,258,586,1765")]
    [InlineData(
        "I'll say we've 12345 letters;  isn't it?\n\n\tYes -- it IS.   ",
        "40,6,285,585,350,6,307,2903,17,18,19,20,2323,26,220,366,77,2177,324,30,689,197,1094,220,348,324,301,50,13,556,220")]
    [InlineData(
        "naïve café 你好 😀 \u00A0x",
        "77,64,127,107,307,279,1238,127,102,220,160,121,254,161,98,121,220,172,253,246,222,220,126,254,87")]
    public void Gives_the_ids_of_Hugging_Face_tokenizers(string text, string ids) =>
        Assert.Equal(ids.Split(',').Select(int.Parse), Novels.Encode(text));

    [Fact]
    public void Every_byte_sequence_decodes_to_itself() =>
        Texts.Bytes.Sample(
            bytes =>
            {
                var tokens = new List<int>();
                Novels.Encode(bytes, tokens);
                Assert.Equal(bytes, Novels.DecodeBytes(tokens));
            },
            iter: 10_000);

    [Fact]
    public void Appends_and_encodes_nothing_as_nothing()
    {
        List<int> tokens = [7];
        Novels.Encode([], tokens);
        Novels.Encode("the"u8, tokens);
        Assert.Equal([7, .. Novels.Encode("the")], tokens);
    }

    [Fact]
    public void End_of_text_in_a_text_is_plain_text()
    {
        Assert.DoesNotContain(Novels.EndOfTextId!.Value, Novels.Encode("<|endoftext|>"));
        Assert.Equal("<|endoftext|>", Novels.Decode(Novels.Encode("<|endoftext|>")));
        Assert.Equal(0, Novels.GetBytes(Novels.EndOfTextId!.Value).Length);
    }

    [Fact]
    public void Ids_outside_the_vocabulary_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Novels.GetBytes(-1).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => Novels.GetBytes(4096).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => Novels.Decode([4096]));
    }

    [Fact]
    public void A_word_of_a_megabyte_decodes_to_itself()
    {
        // Quadratic merging would take hours here.
        var random = new Random(1);
        var word = new byte[1 << 20];
        for (var i = 0; i < word.Length; i++)
            word[i] = (byte)"etaoinshr"[random.Next(9)];
        var tokens = new List<int>();
        Novels.Encode(word, tokens);
        Assert.Equal(word, Novels.DecodeBytes(tokens));
        Assert.True(tokens.Count < word.Length * 3 / 4);
    }

    [Fact]
    public void More_words_than_the_caches_hold_are_encoded_as_each_by_itself()
    {
        var random = new Random(2);
        var words = Enumerable.Range(0, 60_000)
            .Select(_ => " " + random.GetString("abcdefghijklmnopqrstuvwxyz", random.Next(1, 40)))
            .ToList();
        words.AddRange(words.Take(1000));
        var fresh = Fresh();
        var together = fresh.Encode(string.Concat(words));
        Assert.Equal(words.SelectMany(word => Novels.Encode(word)), together);
    }

    [Fact]
    public void Threads_share_a_tokenizer()
    {
        var fresh = Fresh();
        var pieces = Enumerable.Range(0, 64).Select(i => Texts.Austen.AsMemory(i * 20_000, 40_000)).ToList();
        var expected = pieces.ConvertAll(piece => Encode(Novels, piece.Span));
        Parallel.For(0, 256, i => Assert.Equal(expected[i % 64], Encode(fresh, pieces[i % 64].Span)));
    }

    private static List<int> Encode(Tokenizer tokenizer, ReadOnlySpan<byte> text)
    {
        var tokens = new List<int>();
        tokenizer.Encode(text, tokens);
        return tokens;
    }

    private static Tokenizer Fresh()
    {
        using var directory = new TemporaryDirectory();
        Novels.Save(directory.Path);
        return TokenizerFiles.Load(directory.Path);
    }

    private static Tokenizer LoadSmall()
    {
        using var directory = new TemporaryDirectory();
        return TokenizerFiles.Load(directory.Write("tokenizer.json", TokenizerJson.Create().ToJsonString()));
    }
}
