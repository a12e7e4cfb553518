using System.Text;

namespace AnTransformer.Cli.Tests;

/// <summary>The other commands on a model trained once for the class.</summary>
public sealed class CommandTests(CommandTests.TrainedModel model) : IClassFixture<CommandTests.TrainedModel>
{
    private readonly Angpt _angpt = model.Angpt;

    [Fact]
    public void Generate_streams_text_that_the_seed_determines_with_and_without_the_cache()
    {
        string[] arguments = ["generate", "run", "--prompt", "the cat", "--max-tokens", "50", "--seed", "3"];
        var text = _angpt.Run(arguments).AssertSucceeded().Output;
        Assert.StartsWith("the cat", text, StringComparison.Ordinal);
        Assert.True(text.Length > 30);
        Assert.Equal(text, _angpt.Run(arguments).AssertSucceeded().Output);
        Assert.Equal(text, _angpt.Run([.. arguments, "--no-cache"]).AssertSucceeded().Output);
        Assert.NotEqual(text, _angpt.Run([.. arguments[..^1], "4"]).AssertSucceeded().Output);
    }

    [Fact]
    public void Generate_prints_json_and_warns_of_a_prompt_longer_than_the_context()
    {
        var prompt = string.Concat(Enumerable.Repeat("a dog likes the house. ", 40));
        var result = _angpt.Run("generate", "run", "--prompt", prompt, "--max-tokens", "5", "--json").AssertSucceeded();
        Assert.InRange(result.Json.GetProperty("tokens").GetArrayLength(), 0, 5);
        Assert.Contains("warning", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--temperature", "-1", "temperature")]
    [InlineData("--top-p", "0", "top-p")]
    [InlineData("--top-k", "-2", "top-k")]
    [InlineData("--device", "cuda:9", "cuda:9")]
    [InlineData("--device", "tpu", "tpu")]
    [InlineData("--compute-dtype", "fp8", "fp8")]
    [InlineData("--max-tokens", "many", "--max-tokens")]
    public void Generate_refuses_values_out_of_range(string option, string value, string fragment)
        => _angpt.Run("generate", "run", "--prompt", "a", option, value).AssertRejected(fragment);

    [Fact]
    public void Eval_agrees_on_shards_and_with_the_training_run()
    {
        var result = _angpt.Run("eval", "run", "--data", "data", "--json").AssertSucceeded().Json;
        var loss = result.GetProperty("loss").GetDouble();
        Assert.Equal(Math.Exp(loss), result.GetProperty("perplexity").GetDouble(), 1e-9);
        Assert.InRange(result.GetProperty("bits_per_byte").GetDouble(), 0.1, 8);
        Assert.Equal(loss, _angpt.Run("eval", "run", "--data", "data", "--batch-size", "3", "--json").AssertSucceeded().Json.GetProperty("loss").GetDouble(), 1e-5);
        Assert.InRange(_angpt.Run("eval", "run", "--data", "corpus.txt", "--json").AssertSucceeded().Json.GetProperty("loss").GetDouble(), loss - 1, loss + 1);
    }

    [Fact]
    public void Score_of_text_agrees_with_score_of_its_tokens()
    {
        var text = _angpt.Run("score", "run", "--text", "the cat sees", "--json").AssertSucceeded().Json;
        var tokens = string.Join(',', text.GetProperty("tokens").EnumerateArray());
        Assert.Equal(text.GetRawText(), _angpt.Run("score", "run", "--tokens", tokens, "--json").AssertSucceeded().Json.GetRawText());
    }

    [Fact]
    public void Info_describes_everything_a_run_makes()
    {
        Assert.Contains("training flops per token", _angpt.Run("info", "run").AssertSucceeded().Output, StringComparison.Ordinal);
        Assert.Contains("train tokens", _angpt.Run("info", "data").AssertSucceeded().Output, StringComparison.Ordinal);
        Assert.Contains("tokens", _angpt.Run("info", Path.Combine("data", "train-000000.bin")).AssertSucceeded().Output, StringComparison.Ordinal);
        Assert.Contains("vocab size", _angpt.Run("info", Path.Combine("data", "tokenizer.json")).AssertSucceeded().Output, StringComparison.Ordinal);
        Assert.Contains("training bytes estimate", _angpt.Run("info", "configs/quickstart.yaml").AssertSucceeded().Output, StringComparison.Ordinal);
        Assert.Equal("angpt", _angpt.Run("info", "run", "--json").AssertSucceeded().Json.GetProperty("architecture").GetString());
        _angpt.Run("info", "nothing").AssertRejected("nothing");
        _angpt.Run("info", "corpus.txt").AssertRejected("corpus.txt");
    }

    [Fact]
    public void Prepare_makes_shards_with_a_learned_a_given_and_a_byte_tokenizer()
    {
        var learned = _angpt.Run("prepare", "corpus.txt", "-o", "learned", "--vocab-size", "280", "--section-bytes", "512", "--validation-fraction", "0.1", "--json")
            .AssertSucceeded().Json;
        Assert.Equal(280, learned.GetProperty("vocabulary_size").GetInt32());
        Assert.True(learned.GetProperty("validation_tokens").GetInt64() > 0);
        _angpt.Run("prepare", "corpus.txt", "-o", "given", "--tokenizer", "learned", "--section-bytes", "512", "--validation-fraction", "0.1").AssertSucceeded();
        Assert.Equal(File.ReadAllBytes(_angpt.In("learned", "train-000000.bin")), File.ReadAllBytes(_angpt.In("given", "train-000000.bin")));
        Assert.Equal(257, _angpt.Run("prepare", "corpus.txt", "-o", "plain", "--tokenizer", "bytes", "--json").AssertSucceeded().Json.GetProperty("vocabulary_size").GetInt32());
        _angpt.Run("prepare", "corpus.txt", "-o", "plain", "--tokenizer", "bytes").AssertRejected("plain");
        _angpt.Run("prepare", "missing.txt", "-o", "x").AssertRejected("missing.txt");
        Assert.False(Directory.Exists(_angpt.In("x")));
    }

    [Fact]
    public void Prepare_keeps_invalid_utf8_and_warns_and_refuses_an_empty_corpus()
    {
        File.WriteAllBytes(_angpt.In("broken.txt"), [.. Encoding.UTF8.GetBytes("some text "), 0xff, 0xfe, .. Encoding.UTF8.GetBytes(" more")]);
        var result = _angpt.Run("prepare", "broken.txt", "-o", "kept", "--tokenizer", "bytes", "--validation-fraction", "0").AssertSucceeded();
        Assert.Contains("UTF-8", result.Error, StringComparison.Ordinal);
        File.WriteAllText(_angpt.In("empty.txt"), "");
        _angpt.Run("prepare", "empty.txt", "-o", "none", "--tokenizer", "bytes").AssertRejected();
    }

    [Fact]
    public void Tokenizer_train_writes_a_file_that_prepare_reads()
    {
        var result = _angpt.Run("tokenizer", "train", "corpus.txt", "-o", "tok", "--vocab-size", "270", "--json").AssertSucceeded().Json;
        Assert.Equal(270, result.GetProperty("vocabulary_size").GetInt32());
        Assert.True(File.Exists(_angpt.In("tok", "tokenizer.json")));
        _angpt.Run("tokenizer", "train", "corpus.txt", "-o", "tok", "--vocab-size", "100").AssertRejected("--vocab-size");
        var before = File.ReadAllText(_angpt.In("tok", "tokenizer.json"));
        _angpt.Run("tokenizer", "train", "corpus.txt", "-o", "tok", "--vocab-size", "280").AssertRejected("tokenizer.json", "--overwrite");
        Assert.Equal(before, File.ReadAllText(_angpt.In("tok", "tokenizer.json")));
        _angpt.Run("tokenizer", "train", "corpus.txt", "-o", "tok", "--vocab-size", "280", "--overwrite").AssertSucceeded();
        Assert.NotEqual(before, File.ReadAllText(_angpt.In("tok", "tokenizer.json")));
    }

    [Fact]
    public void Data_and_models_of_different_vocabularies_do_not_go_together()
    {
        _angpt.Run("prepare", "corpus.txt", "-o", "bytes", "--tokenizer", "bytes", "--section-bytes", "512", "--validation-fraction", "0.2").AssertSucceeded();
        _angpt.Run("eval", "run", "--data", "bytes").AssertRejected("vocabulary");
        _angpt.Run("eval", "run", "--data", "nothing").AssertRejected("nothing");
    }

    public sealed class TrainedModel : IDisposable
    {
        public TrainedModel() => Angpt.Train("--training.steps", "60", "--evaluation.interval", "30").AssertSucceeded();

        public Angpt Angpt { get; } = new();

        public void Dispose() => Angpt.Dispose();
    }
}
