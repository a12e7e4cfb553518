using System.Text.Json;
using System.Text.Json.Nodes;
using AnTransformer.Checkpoints;

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
    [InlineData("angpt", "gguf", new[] { "--max-shard-size", "1MB" }, "--max-shard-size belongs to --format hf")]
    [InlineData("angpt", "hf", new[] { "--max-shard-size", "much" }, "--max-shard-size must be a size like 5GB")]
    [InlineData("angpt", "hf", new[] { "--max-shard-size", "0KB" }, "--max-shard-size must be a size like 5GB")]
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

    [Fact]
    public void Large_weights_are_divided_as_asked()
    {
        _angpt.Train().AssertSucceeded();
        var report = Export("run", "hf", "hf", "--max-shard-size", "0.03MiB", "--json").AssertSucceeded().Json;
        Assert.Contains("model.safetensors.index.json", Files(report));
        Assert.DoesNotContain("model.safetensors", Files(report));
        _angpt.Run("import", "hf", "-o", "back").AssertSucceeded();
        Assert.All(Score("run").Zip(Score("back")), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
    }

    [Fact]
    public void The_card_names_files_and_no_folder_of_this_machine()
    {
        _angpt.Train(
            "--data.text", _angpt.In("corpus.txt"), "--data.path", _angpt.In("data"), "--training.output", _angpt.In("run")).AssertSucceeded();
        _angpt.Train(
            "--data.text", _angpt.In("corpus.txt"), "--data.path", _angpt.In("data"), "--training.output", _angpt.In("next"), "--training.from", _angpt.In("run"))
            .AssertSucceeded();
        Export("next", "hf", "next-hf").AssertSucceeded();
        var next = File.ReadAllText(_angpt.In("next-hf", "README.md"));
        Assert.Contains("from: run", next, StringComparison.Ordinal);
        Assert.DoesNotContain(_angpt.Folder, next, StringComparison.Ordinal);
        Export("run", "gguf", "gguf").AssertSucceeded();
        var card = File.ReadAllText(_angpt.In("gguf", "README.md"));
        Assert.Contains("corpus.txt", card, StringComparison.Ordinal);
        Assert.DoesNotContain(_angpt.Folder, card, StringComparison.Ordinal);
        Assert.DoesNotContain("output:", card, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gguf", "q8_0")]
    [InlineData("hf", "bf16")]
    public void A_signal_in_the_middle_leaves_nothing(string format, string dtype)
    {
        // Large enough to be seen half written: hundreds of megabytes.
        LargeModel(_angpt.In("large"), vocabSize: 2_000_000);
        var before = Directory.EnumerateFileSystemEntries(_angpt.Folder).ToHashSet(StringComparer.Ordinal);
        var process = _angpt.Start("export", "large", "--format", format, "--dtype", dtype, "-o", "out");
        Signals.WaitFor(process, () => Directory.EnumerateDirectories(_angpt.Folder, ".out.tmp-*").Any(IsUnderWay));
        Signals.Send(process, Signals.Terminate);
        var result = Angpt.Wait(process);
        Assert.True(result.ExitCode == 3, $"exit code {result.ExitCode}: {result.Output}{result.Error}");
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
        Assert.Equal(before, Directory.EnumerateFileSystemEntries(_angpt.Folder).ToHashSet(StringComparer.Ordinal));

        static bool IsUnderWay(string staging)
            => new DirectoryInfo(staging).EnumerateFiles().Any(file => file.Length > 1_000_000);
    }

    public void Dispose() => _angpt.Dispose();

    /// <summary>A fixture with a larger vocabulary.</summary>
    private static void LargeModel(string directory, int vocabSize)
    {
        var fixture = Path.Combine(AppContext.BaseDirectory, "fixtures", "gpt");
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(fixture, "config.json")))!.AsObject();
        config["vocab_size"] = vocabSize;
        Directory.CreateDirectory(directory);
        File.WriteAllText(Path.Combine(directory, "config.json"), config.ToJsonString());
        using var small = SafetensorsFile.Open(Path.Combine(fixture, "model.safetensors"));
        using var stream = File.Create(Path.Combine(directory, "model.safetensors"));
        var writer = new SafetensorsWriter(stream, small.Names.Select(name => (name, small[name].Dtype, Shape(name))));
        var zeros = new byte[1 << 20];
        foreach (var entry in writer.Entries)
        {
            if (!IsOverVocabulary(entry.Name))
                writer.Write(entry.Name, small.GetBytes(entry.Name));
            for (var rest = IsOverVocabulary(entry.Name) ? entry.ByteCount : 0; rest > 0; rest -= zeros.Length)
                writer.Write(entry.Name, zeros.AsSpan(0, (int)Math.Min(rest, zeros.Length)));
        }

        writer.Complete();

        static bool IsOverVocabulary(string name) => name is "model.embed_tokens.weight" or "lm_head.weight";
        IReadOnlyList<long> Shape(string name) => IsOverVocabulary(name) ? [vocabSize, small[name].Shape[1]] : small[name].Shape;
    }

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
