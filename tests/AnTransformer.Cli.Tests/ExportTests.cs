using System.Text.Json;

namespace AnTransformer.Cli.Tests;

/// <summary><c>angpt export</c> as it is typed.</summary>
public sealed class ExportTests : IDisposable
{
    private readonly Angpt _angpt = new();

    [Fact]
    public void A_folded_checkpoint_scores_evaluates_and_generates_as_the_run_it_comes_from()
    {
        _angpt.Train().AssertSucceeded();
        var report = Export("run", "safetensors", "folded", "--fold", "--json").AssertSucceeded().Json;
        Assert.Equal("angpt-folded", report.GetProperty("target").GetString());
        Assert.Contains("model.safetensors", Files(report));
        var (before, after) = (Score("run"), Score("folded"));
        Assert.Equal(before.Count, after.Count);
        Assert.All(before.Zip(after), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
        Assert.Equal(Generate("run"), Generate("folded"));
        _angpt.Run("eval", "folded", "--data", "data").AssertSucceeded();
        Assert.Contains("angpt-folded", _angpt.Run("info", "folded").AssertSucceeded().Output, StringComparison.Ordinal);

        var card = File.ReadAllText(_angpt.In("folded", "README.md"));
        Assert.Contains("6 steps, 768 tokens", card, StringComparison.Ordinal);
        Assert.Contains("Validation loss (nats per token)", card, StringComparison.Ordinal);
        Assert.Contains("hidden_size: 32", card, StringComparison.Ordinal);
        _angpt.Run("train", "--model.architecture", "angpt-folded").AssertRejected("model.architecture");
        _angpt.Run("bench", "angpt-folded").AssertRejected("made of a trained model and not trained itself");
    }

    [Fact]
    public void A_run_becomes_files_of_other_programs()
    {
        _angpt.Train().AssertSucceeded();
        var report = Export("run", "gguf", "gguf", "--dtype", "f16", "--json").AssertSucceeded().Json;
        Assert.Equal("GGUF of architecture qwen3", report.GetProperty("target").GetString());
        Assert.Equal(["README.md", "run-f16.gguf"], Files(report));
        Assert.Contains("leave the stream alone", report.GetProperty("notes")[0].GetString(), StringComparison.Ordinal);
        Assert.True("GGUF"u8.SequenceEqual(File.ReadAllBytes(_angpt.In("gguf", "run-f16.gguf")).AsSpan(0, 4)));

        var printed = Export("run", "hf", "hf").AssertSucceeded().Output;
        Assert.Contains("Qwen3ForCausalLM", printed, StringComparison.Ordinal);
        Assert.Equal(
            [
                "README.md", "config.json", "generation_config.json", "model.safetensors", "special_tokens_map.json",
                "tokenizer.json", "tokenizer_config.json",
            ],
            Directory.EnumerateFiles(_angpt.In("hf")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Contains(
            "from_pretrained", File.ReadAllText(_angpt.In("hf", "README.md")), StringComparison.Ordinal);
        Export("run", "hf", "hf").AssertRejected("exists and is not replaced");
    }

    [Theory]
    [InlineData("ngpt", "gguf", new string[0], "--format onnx")]
    [InlineData("gpt", "safetensors", new[] { "--fold" }, "no interpolations to fold")]
    [InlineData("angpt", "gguf", new[] { "--fold" }, "--fold belongs to --format safetensors")]
    [InlineData("angpt", "hf", new[] { "--dtype", "q8_0" }, "hf has no type q8_0")]
    [InlineData("angpt", "hf", new[] { "--dtype", "int4" }, "--dtype must be one of f64, f32, f16, bf16, q8_0")]
    [InlineData("angpt", "pickle", new string[0], "format 'pickle' is unknown")]
    [InlineData("nothing", "hf", new string[0], "no such directory")]
    public void Bad_input_is_one_sentence_and_leaves_nothing(string fixture, string format, string[] options, string fragment)
    {
        var checkpoint = _angpt.In(fixture);
        var source = Path.Combine(AppContext.BaseDirectory, "fixtures", fixture);
        if (Directory.Exists(source))
        {
            Directory.CreateDirectory(checkpoint);
            foreach (var name in (string[])["config.json", "model.safetensors"])
                File.Copy(Path.Combine(source, name), Path.Combine(checkpoint, name));
        }

        var before = Directory.EnumerateFileSystemEntries(_angpt.Folder).ToHashSet(StringComparer.Ordinal);
        Export(fixture, format, "out", options).AssertRejected(fragment);
        Assert.Equal(before, Directory.EnumerateFileSystemEntries(_angpt.Folder).ToHashSet(StringComparer.Ordinal));
    }

    public void Dispose() => _angpt.Dispose();

    private static List<string> Files(JsonElement report)
        => [.. report.GetProperty("files").EnumerateObject().Select(file => file.Name)];

    private Angpt.Result Export(string checkpoint, string format, string output, params string[] options)
        => _angpt.Run(["export", checkpoint, "--format", format, "-o", output, .. options]);

    private List<double> Score(string checkpoint)
        => [.. _angpt.Run("score", checkpoint, "--text", "the cat sees a red ball. my sister", "--json").AssertSucceeded().Json
            .GetProperty("logprobs").EnumerateArray().Skip(1).Select(value => value.GetDouble())];

    private string Generate(string checkpoint)
        => _angpt.Run("generate", checkpoint, "--prompt", "the cat", "--temperature", "0", "--max-tokens", "12").AssertSucceeded().Output;
}
