using AnTransformer.Checkpoints;
using AnTransformer.Export.Safetensors;
using AnTransformer.Operators;
using static TorchSharp.torch;

namespace AnTransformer.Export.Tests;

/// <summary>What a format cannot hold is refused in one sentence, and nothing is left behind.</summary>
public sealed class RefusalTests : IDisposable
{
    private readonly Workspace _workspace = new();

    [Theory]
    [InlineData("ngpt", "normalizes the stream after every update")]
    [InlineData("sandwich", "normalizes what a block adds to the stream")]
    [InlineData("dyt", "reads the stream through tanh")]
    [InlineData("derf", "reads the stream through erf")]
    public void Architectures_without_a_standard_twin_are_sent_to_ONNX(string architecture, string reason)
    {
        var checkpoint = TestModels.Random(TestModels.Config(architecture), _workspace.New());
        foreach (var format in (string[])["hf", "gguf"])
            AssertRefused(checkpoint, format, ExportDtype.F32, reason, "--format onnx");
    }

    [Fact]
    public void Encoders_and_windows_are_refused_but_not_a_window_that_hides_nothing()
    {
        var config = TestModels.Config("angpt");
        var encoder = TestModels.Random(config with { IsCausal = false }, _workspace.New());
        AssertRefused(encoder, "gguf", ExportDtype.F32, "not causal");
        var window = TestModels.Random(config with { SlidingWindow = 8 }, _workspace.New());
        AssertRefused(window, "hf", ExportDtype.F32, "sliding window of 8 tokens");
        var whole = TestModels.Random(config with { SlidingWindow = TestModels.Context }, _workspace.New());
        Assert.Equal("Qwen3ForCausalLM", TestModels.Export(whole, _workspace.New(), "hf").Target);
    }

    [Fact]
    public void Numbers_beyond_a_type_are_refused_by_tensor()
    {
        var checkpoint = Changed(TestModels.Config("gpt"), "model.layers.1.mlp.up_proj.weight", value: 1e6f);
        AssertRefused(checkpoint, "hf", ExportDtype.F16, "tensor 'model.layers.1.mlp.up_proj.weight' holds 1e+06", "--dtype");
        AssertRefused(checkpoint, "gguf", ExportDtype.F16, "tensor 'blk.1.ffn_up.weight' holds 1e+06");
        AssertRefused(checkpoint, "safetensors", ExportDtype.F16, "model.layers.1.mlp.up_proj.weight");
        Assert.NotNull(TestModels.Export(checkpoint, _workspace.New(), "gguf", ExportDtype.BF16));
        var huge = Changed(TestModels.Config("gpt"), "model.layers.2.mlp.down_proj.weight", value: 1e12f);
        AssertRefused(huge, "gguf", ExportDtype.Q8, "tensor 'blk.2.ffn_down.weight' holds 1e+12");
    }

    [Fact]
    public void A_stream_too_long_for_the_identity_norm_is_refused()
    {
        var checkpoint = Changed(TestModels.Config("angpt"), "model.embed_tokens.weight", value: 10);
        AssertRefused(checkpoint, "hf", ExportDtype.F16, "would change it by", "wider --dtype");
        Assert.NotNull(TestModels.Export(checkpoint, _workspace.New(), "hf", ExportDtype.BF16));
    }

    [Fact]
    public void Queries_too_short_for_their_norm_are_refused()
    {
        var checkpoint = Changed(TestModels.Config("angpt"), "model.layers.0.self_attn.q_proj.weight", value: 1e-3f, whole: true);
        AssertRefused(checkpoint, "gguf", ExportDtype.F16, "queries and keys");
        Assert.NotNull(TestModels.Export(checkpoint, _workspace.New(), "gguf", ExportDtype.F32));
    }

    [Fact]
    public void Rows_that_are_no_whole_blocks_are_refused()
    {
        var checkpoint = TestModels.Random(TestModels.Config("gpt") with { IntermediateSize = 80 }, _workspace.New());
        AssertRefused(checkpoint, "gguf", ExportDtype.Q8, "'blk.0.ffn_down.weight' has rows of 80 numbers", "--dtype f16");
    }

    [Fact]
    public void Types_that_a_format_does_not_have_are_refused_before_anything_is_read()
    {
        var message = Assert.Throws<InvalidInputException>(
            () => TestModels.Export("nowhere", _workspace.New(), "hf", ExportDtype.Q8)).Message;
        Assert.Contains("hf has no type q8_0; it must be one of f32, f16, bf16", message, StringComparison.Ordinal);
        Assert.Contains(
            "no such checkpoint directory",
            Assert.Throws<InvalidInputException>(() => TestModels.Export("nowhere", _workspace.New(), "hf")).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_truncated_checkpoint_is_refused()
    {
        var checkpoint = TestModels.Random(TestModels.Config("gpt"), _workspace.New());
        var weights = Path.Combine(checkpoint, "model.safetensors");
        File.WriteAllBytes(weights, File.ReadAllBytes(weights)[..^100]);
        AssertRefused(checkpoint, "gguf", ExportDtype.F32, "model.safetensors");
    }

    [Fact]
    public void What_exists_is_not_replaced()
    {
        var checkpoint = TestModels.Random(TestModels.Config("gpt"), _workspace.New());
        var target = _workspace.New();
        Directory.CreateDirectory(target);
        File.WriteAllText(Path.Combine(target, "mine.txt"), "mine");
        var message = Assert.Throws<InvalidInputException>(() => TestModels.Export(checkpoint, target, "gguf")).Message;
        Assert.Contains("exists and is not replaced", message, StringComparison.Ordinal);
        Assert.Equal(["mine.txt"], Directory.EnumerateFileSystemEntries(target).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("safetensors")]
    [InlineData("hf")]
    [InlineData("gguf")]
    public void A_stopped_export_leaves_nothing(string format)
    {
        var checkpoint = TestModels.Random(TestModels.Config("gpt"), _workspace.New());
        var target = _workspace.New();
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(
            () => ModelExport.Write(checkpoint, target, ExporterRegistry.Get(format), stop: stop.Token));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(target)!));
    }

    [Theory]
    [InlineData(1.0, 0x3F80)]
    [InlineData(1.00390625, 0x3F80)]            // halfway between two, to even
    [InlineData(1.00390626, 0x3F81)]            // a float would have rounded the difference away
    [InlineData(1.01171875, 0x3F82)]
    [InlineData(-1.00390626, 0xBF81)]
    [InlineData(0.0, 0x0000)]
    [InlineData(1e-40, 0x0001)]
    [InlineData(3.4e38, 0x7F80)]
    public void Bfloat16_is_rounded_once(double value, int bits) => Assert.Equal(bits, ElementWriter.ToBFloat16(value));

    public void Dispose() => _workspace.Dispose();

    private string Changed(Configuration.ModelConfig config, string tensor, float value, bool whole = false)
    {
        var directory = _workspace.New();
        TestModels.Random(config, directory);
        using var model = ModelCheckpoint.Load(directory, ModelContext.Default);
        using var noGrad = no_grad();
        var parameter = model.NamedParameters().Single(item => item.Name == tensor).Parameter;
        if (whole)
            parameter.mul_(value);
        else
            parameter[0, 0] = value;
        ModelCheckpoint.Save(model, directory);
        return directory;
    }

    private void AssertRefused(string checkpoint, string format, ExportDtype dtype, params string[] fragments)
    {
        var target = _workspace.New();
        var message = Assert.Throws<InvalidInputException>(() => TestModels.Export(checkpoint, target, format, dtype)).Message;
        Assert.All(fragments, fragment => Assert.Contains(fragment, message, StringComparison.Ordinal));
        Assert.DoesNotContain('\n', message);
        var parent = Path.GetDirectoryName(target)!;
        Assert.True(!Directory.Exists(parent) || !Directory.EnumerateFileSystemEntries(parent).Any());
    }
}
