using System.Globalization;

namespace AnTransformer.Export.Tests;

/// <summary>llama.cpp computes from a GGUF file what this program computes from the checkpoint.</summary>
public sealed class GgufTests(ITestOutputHelper output) : IDisposable
{
    private readonly Workspace _workspace = new();

    public static TheoryData<string> Models => new(TestModels.Standard.Keys);

    public static TheoryData<string, ExportDtype> Types
    {
        get
        {
            var data = new TheoryData<string, ExportDtype>();
            foreach (var model in (string[])["gpt", "gpt+", "angpt", "angpt without qk norm"])
            {
                foreach (var dtype in (ExportDtype[])[ExportDtype.F16, ExportDtype.BF16, ExportDtype.Q8])
                    data.Add(model, dtype);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Logits_agree(string name)
    {
        var config = TestModels.Standard[name];
        var checkpoint = TestModels.Random(config, _workspace.New());
        using var llama = Open(checkpoint, ExportDtype.F32);
        var tokens = TestModels.RandomTokens(TestModels.Context, config.VocabSize);
        var difference = TestModels.Difference(llama.Logits(tokens), TestModels.Logits(checkpoint, tokens));
        output.WriteLine(FormattableString.Invariant($"{name}: {difference:g3}"));
        Assert.InRange(difference, 0, 1e-4);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void A_model_without_a_tokenizer_agrees_too(string name)
    {
        var config = TestModels.Standard[name] with { VocabSize = 97 };
        var checkpoint = TestModels.Random(config, _workspace.New(), withTokenizer: false);
        using var llama = Open(checkpoint, ExportDtype.F32);
        var tokens = TestModels.RandomTokens(20, config.VocabSize);
        Assert.InRange(TestModels.Difference(llama.Logits(tokens), TestModels.Logits(checkpoint, tokens)), 0, 1e-4);
        Assert.Equal("no_vocab", llama.Metadata["tokenizer.ggml.model"]);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Perplexity_of_narrow_types_agrees(string name, ExportDtype dtype)
    {
        var checkpoint = TestModels.Trained(TestModels.Standard[name], _workspace.New());
        using var exact = Open(checkpoint, ExportDtype.F32);
        using var narrow = Open(checkpoint, dtype);
        var (expected, actual) = (0.0, 0.0);
        const int Sequences = 16;
        var ids = TestModels.Tokenizer.Encode(TestModels.Text[300_000..310_000]);
        for (var i = 0; i < Sequences; i++)
        {
            var tokens = ids.GetRange(i * TestModels.Context, TestModels.Context);
            expected += TestModels.Loss(TestModels.Logits(checkpoint, tokens), tokens) / Sequences;
            actual += TestModels.Loss(narrow.Logits(tokens), tokens) / Sequences;
        }

        var change = Math.Exp(actual - expected) - 1;
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{name} {dtype}: perplexity {Math.Exp(expected):f3}, changed by {change:p4}"));
        Assert.InRange(expected, 0, 5.5);
        Assert.InRange(Math.Abs(change), 0, dtype == ExportDtype.Q8 ? 0.005 : 0.001);
    }

    [Theory]
    [InlineData("gpt")]
    [InlineData("gpt+")]
    [InlineData("angpt")]
    [InlineData("angpt without qk norm")]
    [InlineData("angpt grouped")]
    public void Greedy_text_agrees(string name)
    {
        var checkpoint = TestModels.Trained(TestModels.Standard[name], _workspace.New());
        using var llama = Open(checkpoint, ExportDtype.F32);
        var prompt = TestModels.Tokenizer.Encode("It was a truth");
        var expected = Greedy(checkpoint, prompt, 40);
        Assert.Equal(TestModels.Tokenizer.Decode(expected), TestModels.Tokenizer.Decode(llama.Greedy(prompt, 40)));
    }

    [Fact]
    public void Token_ids_agree()
    {
        var checkpoint = TestModels.Random(TestModels.Standard["gpt"], _workspace.New());
        using var llama = Open(checkpoint, ExportDtype.F32);
        string[] texts =
        [
            TestModels.Text[400_000..410_000],
            "It is a truth universally acknowledged; 1813, 12,345.6 and \"don't\"!",
            "  spaces \n\n new lines\t\ttabs   \r\n",
            "naïve café — Ελληνικά, 日本語, 🙂👩‍🚀",
            "<|endoftext|> in a text",
        ];
        Assert.All(texts, text => Assert.Equal(TestModels.Tokenizer.Encode(text), llama.Tokenize(text)));
        Assert.Equal([TestModels.Tokenizer.EndOfTextId!.Value], llama.Tokenize("<|endoftext|>", special: true));
        Assert.Equal(
            TestModels.Tokenizer.EndOfTextId.Value.ToString(CultureInfo.InvariantCulture),
            llama.Metadata["tokenizer.ggml.eos_token_id"]);
    }

    [Fact]
    public void Ids_beyond_the_tokenizer_are_unused()
    {
        var config = TestModels.Standard["angpt"] with { VocabSize = 520 };
        var checkpoint = TestModels.Random(config, _workspace.New());
        using var llama = Open(checkpoint, ExportDtype.F32);
        var tokens = TestModels.RandomTokens(20, config.VocabSize);
        Assert.InRange(TestModels.Difference(llama.Logits(tokens), TestModels.Logits(checkpoint, tokens)), 0, 1e-4);
        Assert.Equal(TestModels.Tokenizer.Encode("Emma"), llama.Tokenize("Emma"));
    }

    public void Dispose() => _workspace.Dispose();

    private static List<int> Greedy(string checkpoint, List<int> prompt, int count)
    {
        var tokens = new List<int>(prompt);
        while (tokens.Count < prompt.Count + count)
        {
            var logits = TestModels.Logits(checkpoint, tokens)[^1];
            tokens.Add(Array.IndexOf(logits, logits.Max()));
        }

        return tokens[prompt.Count..];
    }

    private LlamaCpp Open(string checkpoint, ExportDtype dtype)
    {
        var target = _workspace.New();
        TestModels.Export(checkpoint, target, "gguf", dtype);
        return new LlamaCpp(target, Vocabulary(checkpoint));
    }

    private static int Vocabulary(string checkpoint)
        => AnTransformer.Architectures.ModelConfigJson.Load(Path.Combine(checkpoint, "config.json")).VocabSize;
}
