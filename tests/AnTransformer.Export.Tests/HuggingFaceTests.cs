using System.Text.Json;
using AnTransformer.Checkpoints;
using AnTransformer.Export.Import;
using AnTransformer.Training.Tokenization.Files;

namespace AnTransformer.Export.Tests;

/// <summary>Hugging Face's formulas compute from an export what this program computes from the checkpoint.</summary>
public sealed class HuggingFaceTests : IDisposable
{
    private readonly Workspace _workspace = new();

    public static TheoryData<string> Models => new(TestModels.Standard.Keys);

    [Theory]
    [MemberData(nameof(Models))]
    public void Logits_agree(string name)
    {
        var checkpoint = TestModels.Random(TestModels.Standard[name], _workspace.New());
        var target = Export(checkpoint);
        var tokens = TestModels.RandomTokens(24, 512);
        var expected = TestModels.Logits(checkpoint, tokens);
        Assert.InRange(TestModels.Difference(new HuggingFaceModel(target).Logits(tokens), expected), 0, 1e-5);
    }

    [Theory]
    [InlineData(ExportDtype.BF16, 0.03)]
    [InlineData(ExportDtype.F16, 0.01)]
    public void Narrow_types_agree_to_their_rounding(ExportDtype dtype, double tolerance)
    {
        foreach (var name in (string[])["gpt+", "angpt", "angpt without qk norm"])
        {
            var checkpoint = TestModels.Random(TestModels.Standard[name], _workspace.New());
            var tokens = TestModels.RandomTokens(24, 512);
            var actual = new HuggingFaceModel(Export(checkpoint, dtype)).Logits(tokens);
            Assert.InRange(TestModels.Difference(actual, TestModels.Logits(checkpoint, tokens), relative: true), 0, tolerance);
        }
    }

    [Fact]
    public void Names_and_config_are_those_of_the_class()
    {
        var target = Export(TestModels.Random(TestModels.Standard["angpt grouped"], _workspace.New()));
        using var config = JsonDocument.Parse(File.ReadAllText(Path.Combine(target, "config.json")));
        var root = config.RootElement;
        Assert.Equal("Qwen3ForCausalLM", root.GetProperty("architectures")[0].GetString());
        Assert.Equal("17179869184.0", root.GetProperty("rms_norm_eps").GetRawText());
        Assert.Equal("10000.0", root.GetProperty("rope_theta").GetRawText());
        Assert.Equal(2, root.GetProperty("num_key_value_heads").GetInt32());
        Assert.Equal(32, root.GetProperty("head_dim").GetInt32());
        Assert.Equal("float32", root.GetProperty("dtype").GetString());
        Assert.Equal(511, root.GetProperty("eos_token_id").GetInt32());
        using var weights = SafetensorsFile.Open(Path.Combine(target, "model.safetensors"));
        Assert.Equal("pt", weights.Metadata["format"]);
        Assert.Equal(2 + 1 + (3 * 11), weights.Names.Count);
    }

    [Theory]
    [InlineData("gpt+ tied", 100_000L)]
    [InlineData("angpt grouped", 70_000L)]
    [InlineData("gpt", 1L)]
    public void Large_weights_are_divided_and_listed(string name, long mostBytes)
    {
        var checkpoint = TestModels.Random(TestModels.Standard[name], _workspace.New());
        var (whole, divided) = (Export(checkpoint), _workspace.New());
        ModelExport.Write(
            checkpoint, divided, ExporterRegistry.Get("hf"), maxShardBytes: mostBytes, stop: TestContext.Current.CancellationToken);
        using var expected = SafetensorsFile.Open(Path.Combine(whole, "model.safetensors"));
        using var index = JsonDocument.Parse(File.ReadAllText(Path.Combine(divided, "model.safetensors.index.json")));
        var map = index.RootElement.GetProperty("weight_map").EnumerateObject().ToDictionary(entry => entry.Name, entry => entry.Value.GetString()!);
        Assert.Equal(expected.Names.Order(StringComparer.Ordinal), map.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(
            expected.Names.Sum(tensor => (long)expected.GetBytes(tensor).Length),
            index.RootElement.GetProperty("metadata").GetProperty("total_size").GetInt64());
        Assert.False(File.Exists(Path.Combine(divided, "model.safetensors")));
        var files = map.Values.Distinct().Order(StringComparer.Ordinal).ToList();
        Assert.Equal(Enumerable.Range(1, files.Count).Select(i => $"model-{i:D5}-of-{files.Count:D5}.safetensors"), files);
        Assert.True(files.Count > 1);
        foreach (var file in files)
        {
            using var shard = SafetensorsFile.Open(Path.Combine(divided, file));
            Assert.True(shard.Names.Count == 1 || shard.Names.Sum(tensor => (long)shard.GetBytes(tensor).Length) <= mostBytes);
            Assert.All(shard.Names, tensor => Assert.Equal(file, map[tensor]));
            Assert.All(shard.Names, tensor => Assert.True(shard.GetBytes(tensor).SequenceEqual(expected.GetBytes(tensor))));
        }

        // And it comes back as the whole one does.
        var (one, many) = (_workspace.New(), _workspace.New());
        CheckpointImport.Run(whole, one, TestContext.Current.CancellationToken);
        CheckpointImport.Run(divided, many, TestContext.Current.CancellationToken);
        Assert.Equal(File.ReadAllBytes(Path.Combine(one, "model.safetensors")), File.ReadAllBytes(Path.Combine(many, "model.safetensors")));
    }

    [Fact]
    public void Of_gpt_no_number_changes()
    {
        var checkpoint = TestModels.Random(TestModels.Standard["gpt+ tied"], _workspace.New());
        using var before = SafetensorsFile.Open(Path.Combine(checkpoint, "model.safetensors"));
        using var after = SafetensorsFile.Open(Path.Combine(Export(checkpoint), "model.safetensors"));
        Assert.Equal(before.Names.Order(StringComparer.Ordinal), after.Names.Order(StringComparer.Ordinal));
        Assert.All(before.Names, name => Assert.True(before.GetBytes(name).SequenceEqual(after.GetBytes(name))));
    }

    [Fact]
    public void The_tokenizer_s_files_are_complete()
    {
        var target = Export(TestModels.Random(TestModels.Standard["gpt"], _workspace.New()));
        var loaded = TokenizerFiles.Load(target);
        Assert.Equal(TestModels.Tokenizer.Fingerprint, loaded.Fingerprint);
        using var config = JsonDocument.Parse(File.ReadAllText(Path.Combine(target, "tokenizer_config.json")));
        Assert.Equal("<|endoftext|>", config.RootElement.GetProperty("eos_token").GetString());
        Assert.Equal(TestModels.Context, config.RootElement.GetProperty("model_max_length").GetInt32());
        using var special = JsonDocument.Parse(File.ReadAllText(Path.Combine(target, "special_tokens_map.json")));
        Assert.Equal("<|endoftext|>", special.RootElement.GetProperty("bos_token").GetString());
        using var generation = JsonDocument.Parse(File.ReadAllText(Path.Combine(target, "generation_config.json")));
        Assert.Equal(511, generation.RootElement.GetProperty("eos_token_id").GetInt32());
    }

    [Fact]
    public void Without_a_tokenizer_the_ids_are_null_rather_than_another_model_s()
    {
        var target = Export(TestModels.Random(TestModels.Standard["gpt"], _workspace.New(), withTokenizer: false));
        using var config = JsonDocument.Parse(File.ReadAllText(Path.Combine(target, "config.json")));
        Assert.Equal(JsonValueKind.Null, config.RootElement.GetProperty("bos_token_id").ValueKind);
        Assert.False(File.Exists(Path.Combine(target, "tokenizer.json")));
    }

    public void Dispose() => _workspace.Dispose();

    private string Export(string checkpoint, ExportDtype dtype = ExportDtype.F32)
    {
        var target = _workspace.New();
        TestModels.Export(checkpoint, target, "hf", dtype);
        return target;
    }
}
