using AnTransformer.Evaluation.Scoring;
using AnTransformer.Evaluation.Tasks;
using AnTransformer.Inference;
using AnTransformer.Server.Tests;
using AnTransformer.Training.Tokenization;

namespace AnTransformer.Evaluation.Tests;

/// <summary>Likelihoods of answers, whatever is read together, are those of each text scored alone.</summary>
public sealed class ScorerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("angpt-scorer-").FullName;
    private readonly ByteTokenizer _tokenizer = new();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("angpt")]
    [InlineData("gpt+")]
    public void Likelihoods_are_sums_of_scores_whatever_is_shared(string architecture)
    {
        using var model = InferenceModel.Load(TestModel.Save(_folder, "model", context: 64, architecture: architecture));
        var random = new Random(5);
        var questions = new List<IReadOnlyList<TokenizedContinuation>>();
        for (var i = 0; i < 70; i++)
        {
            var context = new string([.. Enumerable.Range(0, random.Next(0, 40)).Select(_ => (char)random.Next('a', 'e'))]);
            questions.Add([.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => Encode(
                context, " " + new string([.. Enumerable.Range(0, random.Next(1, 50)).Select(_ => (char)random.Next('a', 'c'))])))]);
        }

        // The same twice, and one that is another's beginning.
        questions.Add([Encode("x", " ab"), Encode("x", " ab"), Encode("x", " abc"), Encode("y", " ab")]);
        var found = new Likelihood[questions.Count][];
        using var scorer = new LikelihoodScorer(model);
        scorer.Score(questions, (question, likelihoods) => found[question] = likelihoods, CancellationToken.None);

        for (var i = 0; i < questions.Count; i++)
        {
            Assert.Equal(questions[i].Count, found[i].Length);
            for (var j = 0; j < questions[i].Count; j++)
            {
                var continuation = questions[i][j];
                var expected = model.Score(continuation.Tokens).Skip(continuation.First - 1).Sum();
                Assert.Equal(expected, found[i][j].LogLikelihood, 1e-3);
                Assert.Equal(IsGreedy(model, continuation), found[i][j].IsGreedy);
            }
        }
    }

    [Fact]
    public void Greedy_is_what_the_model_would_write()
    {
        using var model = InferenceModel.Load(TestModel.Save(_folder, "model"));
        using var session = model.CreateSession();
        var tokens = _tokenizer.Encode("a b");
        var next = AnTransformer.Generation.Sampler.ArgMax(session.Prefill([.. tokens]));
        var (right, wrong) = (new TokenizedContinuation([.. tokens, next], tokens.Count, false),
            new TokenizedContinuation([.. tokens, (next + 1) % 200], tokens.Count, false));
        using var scorer = new LikelihoodScorer(model);
        Likelihood[]? found = null;
        scorer.Score([[right, wrong]], (_, likelihoods) => found = likelihoods, CancellationToken.None);
        Assert.True(found![0].IsGreedy);
        Assert.False(found[1].IsGreedy);
        Assert.True(found[0].LogLikelihood > found[1].LogLikelihood);
    }

    [Fact]
    public void Scoring_can_be_stopped()
    {
        using var model = InferenceModel.Load(TestModel.Save(_folder, "model"));
        using var scorer = new LikelihoodScorer(model);
        using var stop = new CancellationTokenSource();
        var questions = Enumerable.Repeat<IReadOnlyList<TokenizedContinuation>>([Encode("a", " b")], 10_000);
        Assert.Throws<OperationCanceledException>(() => scorer.Score(questions, (_, _) => stop.Cancel(), stop.Token));
        // And goes on with others afterwards.
        var count = 0;
        scorer.Score(questions.Take(40), (_, _) => count++, CancellationToken.None);
        Assert.Equal(40, count);
    }

    [Theory]
    // Spaces at the end of the context belong to what is scored.
    [InlineData("ab ", "c", "ab c", 2)]
    [InlineData("ab \n", " c", "ab \n c", 2)]
    [InlineData("ab", " c", "ab c", 2)]
    public void Contexts_end_where_their_tokens_do(string context, string text, string whole, int first)
    {
        var encoded = Encode(context, text);
        Assert.Equal(_tokenizer.Encode(whole), encoded.Tokens);
        Assert.Equal(first, encoded.First);
    }

    [Fact]
    public void A_document_begins_after_the_end_of_another()
    {
        var encoded = Encode("", " a");
        Assert.Equal([_tokenizer.EndOfTextId!.Value, ' ', 'a'], encoded.Tokens);
        Assert.Equal(1, encoded.First);
    }

    [Fact]
    public void What_is_too_long_loses_its_beginning()
    {
        var encoded = Encode("abcdef", " gh", limit: 5);
        Assert.Equal(_tokenizer.Encode("def gh"), encoded.Tokens);
        Assert.Equal(3, encoded.First);
        Assert.True(encoded.IsCut);
        // Even some of what is scored, of which the last tokens count.
        encoded = Encode("ab", " cdefgh", limit: 4);
        Assert.Equal(_tokenizer.Encode("defgh"), encoded.Tokens);
        Assert.Equal(1, encoded.First);
    }

    private TokenizedContinuation Encode(string context, string text, int limit = 63)
        => TokenizedContinuation.Encode(new Continuation(context, text), _tokenizer, limit, "here");

    private static bool IsGreedy(InferenceModel model, TokenizedContinuation continuation)
    {
        using var session = model.CreateSession();
        var isGreedy = true;
        session.Read(continuation.Tokens.AsSpan(..^1), (position, logits) =>
        {
            if (position + 1 >= continuation.First)
                isGreedy &= AnTransformer.Generation.Sampler.ArgMax(logits) == continuation.Tokens[position + 1];
        });
        return isGreedy;
    }
}
