using AnTransformer.Checkpoints;
using AnTransformer.Configuration;
using AnTransformer.Graphs;
using AnTransformer.Operators;
using static TorchSharp.torch;

namespace AnTransformer.Export.Tests;

/// <summary>A folded model computes what the unfolded one does.</summary>
public sealed class FoldingTests : IDisposable
{
    private readonly Workspace _workspace = new();

    public static TheoryData<string> Fixtures => new("angpt", "angpt-no-qk-norm", "angpt-grouped", "angpt-tied", "angpt-window");

    public static TheoryData<string> Switches => new("qkv", "o", "ug", "act", "down", "alpha", "qk norm");

    [Theory]
    [MemberData(nameof(Fixtures))]
    public void Fixtures_fold(string name)
    {
        var checkpoint = Path.Combine(AppContext.BaseDirectory, "fixtures", name);
        AssertFolds(checkpoint, TestModels.RandomTokens(9, vocabSize: 23));
    }

    [Theory]
    [MemberData(nameof(Switches))]
    public void Without_one_factor_it_folds(string off)
    {
        var config = TestModels.Config("angpt") with
        {
            QkNorm = off != "qk norm",
            Factors = new FactorSwitches(
                off != "qkv", off != "o", off != "ug", off != "act", off != "down", off != "alpha"),
        };
        var checkpoint = TestModels.Random(config, _workspace.New());
        AssertFolds(checkpoint, TestModels.RandomTokens(40, config.VocabSize));
    }

    [Fact]
    public void The_folded_checkpoint_has_no_scales_and_no_tied_head()
    {
        var checkpoint = TestModels.Random(TestModels.Config("angpt") with { TieWordEmbeddings = true }, _workspace.New());
        var folded = Fold(checkpoint, ExportDtype.F32);
        using var opened = GraphCheckpoint.Open(folded);
        Assert.Equal("angpt-folded", opened.Graph.Config.Architecture);
        Assert.False(opened.Graph.Config.TieWordEmbeddings);
        Assert.All(opened.Weights.Names, name => Assert.Equal(2, opened.Weights[name].Shape.Count));
        Assert.All(opened.Graph.Matrices(), matrix => Assert.True(matrix.IsPlain));
        Assert.All(opened.Graph.Blocks, block => Assert.IsType<ResidualSum>(block.Mlp.Update));
        Assert.True(File.Exists(Path.Combine(folded, "tokenizer.json")));
    }

    [Fact]
    public void Alpha_of_one_is_refused_by_block()
    {
        var config = TestModels.Config("angpt") with { Alpha = new ScaleInit(0.25, 1) };
        var checkpoint = WithAlpha(config, layer: 1, channel: 3, alpha: 1);
        var message = Assert.Throws<InvalidInputException>(() => Fold(checkpoint, ExportDtype.F64)).Message;
        Assert.Contains("block 1's MLP: channel 3 has α = 1", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_channel_that_keeps_too_little_for_the_type_is_refused()
    {
        var checkpoint = WithAlpha(TestModels.Config("angpt"), layer: 2, channel: 0, alpha: 1 - 1e-4);
        Assert.Contains(
            "block 2's MLP: channel 0",
            Assert.Throws<InvalidInputException>(() => Fold(checkpoint, ExportDtype.F16)).Message,
            StringComparison.Ordinal);
        AssertFolds(checkpoint, TestModels.RandomTokens(20, 512), single: 1e-4);
    }

    [Theory]
    [InlineData("gpt")]
    [InlineData("ngpt")]
    [InlineData("sandwich")]
    public void What_has_no_interpolations_is_refused(string architecture)
    {
        var checkpoint = TestModels.Random(TestModels.Config(architecture), _workspace.New());
        var target = _workspace.New();
        var message = Assert.Throws<InvalidInputException>(
            () => TestModels.Export(checkpoint, target, "safetensors", fold: true)).Message;
        Assert.Contains("has no interpolations to fold", message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(target));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(target)!));
    }

    [Theory]
    [InlineData("angpt")]
    [InlineData("ngpt")]
    [InlineData("derf")]
    public void Without_folding_weights_are_copied_to_the_bit(string architecture)
    {
        var checkpoint = TestModels.Random(TestModels.Config(architecture), _workspace.New());
        var target = _workspace.New();
        TestModels.Export(checkpoint, target, "safetensors");
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(checkpoint, "config.json")), File.ReadAllBytes(Path.Combine(target, "config.json")));
        using var before = SafetensorsFile.Open(Path.Combine(checkpoint, ModelCheckpoint.WeightsFile));
        using var after = SafetensorsFile.Open(Path.Combine(target, ModelCheckpoint.WeightsFile));
        Assert.Equal(before.Names, after.Names);
        Assert.All(before.Names, name => Assert.True(before.GetBytes(name).SequenceEqual(after.GetBytes(name))));
    }

    public void Dispose() => _workspace.Dispose();

    private void AssertFolds(string checkpoint, int[] tokens, double single = 1e-5)
    {
        var expected = TestModels.Logits(checkpoint, tokens);
        var inDouble = TestModels.Logits(Fold(checkpoint, ExportDtype.F64), tokens);
        Assert.InRange(TestModels.Difference(inDouble, expected, relative: true), 0, 1e-9);
        var inSingle = TestModels.Logits(Fold(checkpoint, ExportDtype.F32), tokens, ScalarType.Float32);
        Assert.InRange(TestModels.Difference(inSingle, expected, relative: true), 0, single);
    }

    private string Fold(string checkpoint, ExportDtype dtype)
    {
        var target = _workspace.New();
        TestModels.Export(checkpoint, target, "safetensors", dtype, fold: true);
        return target;
    }

    private string WithAlpha(ModelConfig config, int layer, int channel, double alpha)
    {
        var directory = _workspace.New();
        TestModels.Random(config, directory);
        using (var model = ModelCheckpoint.Load(directory, ModelContext.Default))
        {
            using var noGrad = no_grad();
            var stored = model.NamedParameters().Single(item => item.Name == $"model.layers.{layer}.mlp_alpha").Parameter;
            stored[channel] = alpha * config.Alpha.Scale / config.Alpha.Init;
            ModelCheckpoint.Save(model, directory);
        }

        return directory;
    }
}
