using System.Text.Json;

namespace AnTransformer.Cli.Tests;

/// <summary>Masked language models on the command line.</summary>
public sealed class MaskedTests : IDisposable
{
    private static readonly string[] Model =
    [
        "--objective", "masked", "--tokenizer.kind", "bytes", "--model.hidden_size", "64", "--model.num_attention_heads", "4",
        "--model.max_position_embeddings", "64", "--training.batch_size", "16", "--learning_rate", "5e-3",
    ];

    private readonly Angpt _angpt = new();

    /// <summary>The corpus's letters alone carry about 2.8 nats each; a model that looks at none of its neighbours stays there.</summary>
    [Fact]
    public void It_learns_more_than_how_frequent_letters_are_and_says_what_it_is()
    {
        var trained = _angpt.Train([.. Model, "--training.steps", "150", "--evaluation.batches", "0", "--json"]).AssertSucceeded().Json;
        var text = File.ReadAllBytes(_angpt.In("corpus.txt"));
        var entropy = text.GroupBy(letter => letter).Select(group => (double)group.Count() / text.Length).Sum(share => -share * Math.Log(share));
        var loss = trained.GetProperty("val_loss").GetDouble();
        Assert.InRange(loss, 0.1, 0.8 * entropy);
        Assert.InRange(trained.GetProperty("masked_accuracy").GetDouble(), 0.3, 1);
        Assert.Equal(JsonValueKind.Null, trained.GetProperty("bits_per_byte").ValueKind);

        var measured = _angpt.Run("eval", "run", "--data", "data", "--batch-size", "3", "--json").AssertSucceeded().Json;
        Assert.Equal(loss, measured.GetProperty("loss").GetDouble(), 1e-5);
        Assert.False(measured.TryGetProperty("perplexity", out _));
        Assert.Contains("nats per masked token", _angpt.Run("eval", "run", "--data", "data", "--batches", "1").AssertSucceeded().Output, StringComparison.Ordinal);
        _angpt.Run("inspect", "run", "--data", "data", "--batches", "1").AssertSucceeded();
        Assert.StartsWith("masked (15", _angpt.Run("info", "run", "--json").AssertSucceeded().Json.GetProperty("objective").GetString(), StringComparison.Ordinal);
        _angpt.Run("generate", "run", "--prompt", "the cat").AssertRejected("is a masked language model", "angpt eval");
        _angpt.Run("score", "run", "--text", "the cat").AssertRejected("is a masked language model", "angpt eval");
    }

    [Fact]
    public void Comparisons_and_refusals()
    {
        File.WriteAllText(_angpt.In("study.yaml"), """
            base:
              model: {hidden_size: 32, num_attention_heads: 2, num_hidden_layers: 1, max_position_embeddings: 32}
              data: {text: [corpus.txt], path: data, section_bytes: 512, validation_fraction: 0.2}
              tokenizer: {vocab_size: 300}
              training: {max_tokens: 768, batch_size: 4}
              evaluation: {interval: 2, batches: 2}

            """);
        _angpt.Run(
            "compare", "study.yaml", "--sides", "gpt+,angpt", "--learning-rates", "1e-2", "--max-extensions", "0", "--seeds", "1",
            "--set", "training.objective=masked", "--output", "study").AssertSucceeded();
        var configurations = Directory.GetFiles(_angpt.In("study"), "config.yaml", SearchOption.AllDirectories);
        Assert.Equal(2, configurations.Length);
        Assert.All(configurations, path => Assert.Contains("objective: masked", File.ReadAllText(path), StringComparison.Ordinal));

        _angpt.Train("--objective", "mask", "--training.output", "x").AssertRejected("training.objective", "causal", "masked");
        _angpt.Train("--objective", "masked", "--mask_probability", "1.5", "--training.output", "x").AssertRejected("mask_probability", "at most 0.999");
    }

    public void Dispose() => _angpt.Dispose();
}
