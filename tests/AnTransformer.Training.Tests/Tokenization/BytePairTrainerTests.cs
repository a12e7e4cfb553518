using System.Text;
using AnTransformer.Training.Tokenization;
using AnTransformer.Training.Tokenization.BytePairs;
using AnTransformer.Training.Tokenization.Splitting;
using CsCheck;

namespace AnTransformer.Training.Tests.Tokenization;

public sealed class BytePairTrainerTests
{
    [Fact]
    public void Learns_what_the_reference_learns()
    {
        // Few letters make ties, runs of one letter, and tokens that two merges make.
        var texts = Gen.OneOf("aaab bcé".ToCharArray()).Array[0, 80].Select(characters => new string(characters)).Array[1, 4];
        Gen.Select(texts, Gen.Int[1, 3]).Sample(
            (documents, frequency) =>
            {
                var expected = ReferenceBytePairs.Learn(documents, 30, frequency);
                Assert.Equal(expected, Merges(Train(documents, 287, frequency).Tokenizer));
            },
            iter: 500);
    }

    [Fact]
    public void Learns_from_the_novels_what_the_reference_learns()
    {
        var text = Encoding.UTF8.GetString(Texts.Austen.AsSpan(0, 60_000));
        var expected = ReferenceBytePairs.Learn([text], 60, 2);
        Assert.Equal(expected, Merges(Train([text], 317).Tokenizer));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    public void Threads_do_not_matter(int threads)
    {
        var options = new BytePairTrainerOptions { VocabularySize = 2000, Threads = threads };
        var whole = Train([Texts.Austen], options);
        var other = Train([Texts.Austen], options with { Threads = 3 });
        Assert.Equal(other.Tokenizer.Fingerprint, whole.Tokenizer.Fingerprint);
        Assert.Equal(Texts.Austen.Length, whole.BytesRead);
        Assert.Equal(CountWords(Texts.Austen), whole.DistinctWords);
        Assert.Null(whole.Warning);
    }

    [Fact]
    public void Documents_may_share_a_buffer()
    {
        string[] documents = ["first text here", "second text there", "third text where"];
        var buffer = new byte[100];
        IEnumerable<ReadOnlyMemory<byte>> Reuse()
        {
            foreach (var document in documents)
                yield return buffer.AsMemory(0, Encoding.UTF8.GetBytes(document, buffer));
        }

        var reused = Train(Reuse(), new BytePairTrainerOptions { VocabularySize = 270 });
        Assert.Equal(Train(documents, 270).Tokenizer.Fingerprint, reused.Tokenizer.Fingerprint);
    }

    [Fact]
    public void Ids_follow_GPT2()
    {
        var tokenizer = Train(["hello hello"], 258).Tokenizer;
        Assert.Equal(258, tokenizer.VocabularySize);
        Assert.Equal("!", tokenizer.Decode([0]));
        Assert.Equal(ReferenceBytePairs.ByteOrder(), Enumerable.Range(0, 256).Select(id => (int)tokenizer.GetBytes(id)[0]));
        Assert.Equal("el", tokenizer.Decode([256]));
        Assert.Equal(257, tokenizer.EndOfTextId);
    }

    [Fact]
    public void A_text_with_too_few_pairs_gives_a_smaller_vocabulary_and_says_so()
    {
        var result = Train(["abab"], 1000);
        Assert.Equal(258, result.Tokenizer.VocabularySize);
        Assert.Equal(257, result.Tokenizer.EndOfTextId);
        Assert.Contains("has 258", result.Warning, StringComparison.Ordinal);
        Assert.Equal(257, Train([], 300).Tokenizer.VocabularySize);
        Assert.Equal(257, Train(["x", ""], 257).Tokenizer.VocabularySize);
    }

    [Fact]
    public void Forgetting_rare_words_is_deterministic_and_keeps_the_frequent_ones()
    {
        var documents = Enumerable.Range(0, 5).Select(i => (ReadOnlyMemory<byte>)Texts.Austen).ToList();
        BytePairTrainingResult Learn(int threads) => Train(
            documents, new BytePairTrainerOptions { VocabularySize = 600, MaximumDistinctWords = 2000, Threads = threads });
        var one = Learn(1);
        Assert.True(one.WordsForgotten);
        Assert.InRange(one.DistinctWords, 1, 1000);
        Assert.Equal(one.Tokenizer.Fingerprint, Learn(3).Tokenizer.Fingerprint);
        Assert.Single(one.Tokenizer.Encode(" the"));
    }

    [Fact]
    public void Words_without_end_are_cut()
    {
        var options = new BytePairTrainerOptions { VocabularySize = 300, MaximumWordBytes = 4 };
        var tokenizer = Train([Encoding.UTF8.GetBytes(new string('a', 1000))], options).Tokenizer;
        Assert.Equal(["a a", "aa aa"], Merges(tokenizer));
    }

    [Fact]
    public void Reports_progress()
    {
        var reports = new List<BytePairTrainingProgress>();
        Train([Texts.Austen], new BytePairTrainerOptions { VocabularySize = 600 }, new Recorder(reports));
        var counted = reports.Last(report => report.VocabularySize == 0);
        Assert.Equal(new BytePairTrainingProgress(Texts.Austen.Length, 0, 600), counted);
        Assert.Equal(new BytePairTrainingProgress(Texts.Austen.Length, 599, 600), reports[^1]);
    }

    [Fact]
    public void Stops_when_cancelled()
    {
        using var source = new CancellationTokenSource();
        source.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() =>
            BytePairTrainer.Train([Texts.Austen], new BytePairTrainerOptions { VocabularySize = 600 }, null, source.Token));
    }

    [Fact]
    public void An_error_of_the_documents_comes_through()
    {
        static IEnumerable<ReadOnlyMemory<byte>> Fail()
        {
            yield return Texts.Austen;
            throw new InvalidInputException("broken");
        }

        var options = new BytePairTrainerOptions { VocabularySize = 600 };
        Assert.Equal("broken", Assert.Throws<InvalidInputException>(() => Train(Fail(), options)).Message);
    }

    [Fact]
    public void Options_out_of_range_are_refused()
    {
        var good = new BytePairTrainerOptions { VocabularySize = 300 };
        Assert.Contains("257", Refuse(good with { VocabularySize = 256 }), StringComparison.Ordinal);
        Assert.Contains("vocabulary size", Refuse(good with { VocabularySize = int.MaxValue }), StringComparison.Ordinal);
        Assert.Contains("minimum frequency 0", Refuse(good with { MinimumFrequency = 0 }), StringComparison.Ordinal);
        Assert.Contains("distinct words", Refuse(good with { MaximumDistinctWords = 0 }), StringComparison.Ordinal);
        Assert.Contains("word length", Refuse(good with { MaximumWordBytes = 1 }), StringComparison.Ordinal);
        Assert.Contains("threads", Refuse(good with { Threads = 0 }), StringComparison.Ordinal);

        static string Refuse(BytePairTrainerOptions options) =>
            Assert.Throws<InvalidInputException>(() => Train([], options)).Message;
    }

    internal static BytePairTrainingResult Train(
        IEnumerable<ReadOnlyMemory<byte>> documents,
        BytePairTrainerOptions options,
        IProgress<BytePairTrainingProgress>? progress = null) =>
        BytePairTrainer.Train(documents, options, progress, TestContext.Current.CancellationToken);

    private static BytePairTrainingResult Train(string[] documents, int size, int minimumFrequency = 2) => Train(
        documents.Select(document => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(document)),
        new BytePairTrainerOptions { VocabularySize = size, MinimumFrequency = minimumFrequency });

    private static List<string> Merges(Tokenizer tokenizer)
    {
        using var directory = new TemporaryDirectory();
        tokenizer.Save(directory.Path);
        return TokenizerJson.Parse(directory.Read("tokenizer.json"))["model"]!["merges"]!.AsArray()
            .Select(merge => merge!.GetValue<string>()).ToList();
    }

    private static int CountWords(ReadOnlySpan<byte> text)
    {
        var words = new HashSet<string>();
        for (var rest = text; rest.Length > 0;)
        {
            var length = Gpt2PreTokenizer.NextLength(rest);
            words.Add(Encoding.Latin1.GetString(rest[..length]));
            rest = rest[length..];
        }

        return words.Count;
    }

    private sealed class Recorder(List<BytePairTrainingProgress> reports) : IProgress<BytePairTrainingProgress>
    {
        public void Report(BytePairTrainingProgress value) => reports.Add(value);
    }
}
