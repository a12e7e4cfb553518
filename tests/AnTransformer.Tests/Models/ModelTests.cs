using AnTransformer.Architectures;
using AnTransformer.Configuration;
using AnTransformer.Generation;
using AnTransformer.Layers;
using AnTransformer.Operators;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Models;

public sealed class ModelTests
{
    public static TheoryData<string> Architectures => new(ArchitectureRegistry.Names);

    [Theory]
    [InlineData(2, 0.2)]
    [InlineData(4, 0.2)]
    [InlineData(8, 0.1)]
    [InlineData(32, 0.025)]
    public void Alpha_of_anGPT_starts_lower_in_deeper_models(int layers, double expected)
        => Assert.Equal(new ScaleInit(expected, 1), ArchitectureRegistry.CreateConfig("angpt", 257, 64, 1, layers, 16).Alpha);

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Parameters_are_counted_as_they_are(string architecture)
    {
        foreach (var queryKeyNorm in new[] { true, false })
        {
            var config = Small(architecture) with { QkNorm = queryKeyNorm };
            using var model = LanguageModel.Create(config, ModelContext.Default);
            Assert.Equal(model.NamedParameters().Sum(item => item.Parameter.numel()), ModelCost.Parameters(config));
        }
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void The_same_seed_gives_the_same_weights_and_another_gives_others(string architecture)
    {
        using var scope = NewDisposeScope();
        using var first = Initialized(architecture, seed: 1);
        using var second = Initialized(architecture, seed: 1);
        using var third = Initialized(architecture, seed: 2);
        Assert.True(first.Head.Weight.equal(second.Head.Weight).all().item<bool>());
        Assert.False(first.Head.Weight.equal(third.Head.Weight).all().item<bool>());
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void A_later_token_changes_no_earlier_logit(string architecture)
    {
        using var scope = NewDisposeScope();
        using var model = Initialized(architecture, seed: 3);
        var before = model.forward(tensor(new long[,] { { 1, 2, 3, 4, 5 } }));
        var after = model.forward(tensor(new long[,] { { 1, 2, 3, 4, 9 } }));
        Assert.True(before[.., ..4].allclose(after[.., ..4], rtol: 1e-6, atol: 1e-7));
        Assert.False(before[.., 4].allclose(after[.., 4]));
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Cached_and_uncached_logits_agree(string architecture)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = Initialized(architecture, seed: 4);
        var tokens = tensor(new long[,] { { 3, 1, 4, 1, 5, 9, 2, 6 } });
        var whole = model.forward(tokens);
        using var cache = new KeyValueCache(model.Config.NumHiddenLayers, model.Config.MaxPositionEmbeddings);
        foreach (var (start, end) in new[] { (0, 3), (3, 4), (4, 7), (7, 8) })
        {
            var logits = model.forward(tokens[.., start..end], cache);
            Assert.True(logits.allclose(whole[.., start..end], rtol: 1e-5, atol: 1e-6), $"tokens {start} to {end}");
        }
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Generation_with_and_without_a_cache_draws_the_same_also_past_the_context(string architecture)
    {
        using var model = Initialized(architecture, seed: 5);
        var options = new SamplingOptions(Temperature: 0.9, TopK: 8, Seed: 7);
        var cached = new TextGenerator(model).Generate([1, 2, 3], 30, options).ToList();
        var uncached = new TextGenerator(model, useCache: false).Generate([1, 2, 3], 30, options).ToList();
        Assert.Equal(30, cached.Count);
        Assert.Equal(uncached, cached);
    }

    [Fact]
    public void AnGpt_starts_on_the_sphere_and_NGpt_along_the_model_dimension()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var angpt = Initialized("angpt", seed: 8);
        using var ngpt = Initialized("ngpt", seed: 8);
        AssertUnit(angpt.Blocks[0].Mlp.DownProj.Weight, dimension: 1);
        AssertUnit(angpt.EmbedTokens.Weight, dimension: 1);
        AssertUnit(ngpt.Blocks[0].Mlp.DownProj.Weight, dimension: 0);
        AssertUnit(ngpt.Blocks[0].SelfAttention.OProj.Weight, dimension: 0);
        AssertUnit(ngpt.Blocks[0].Mlp.UpProj.Weight, dimension: 1);
    }

    [Fact]
    public void At_initialization_the_stream_of_AnGpt_has_about_unit_norm()
    {
        // What the whole method rests on: with constants alone, the logits of a random wide model (whose head has unit rows and
        // whose s_z is √d) have the variance 1 that a unit-norm stream gives.
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var config = ArchitectureRegistry.CreateConfig("angpt", 512, 256, 4, 6, 32) with { Alpha = new ScaleInit(0.05, 1) };
        using var model = LanguageModel.Create(config, ModelContext.Default);
        model.Initialize(seed: 9);
        var logits = model.forward(randint(512, [4, 32], dtype: int64));
        Assert.InRange(logits.square().mean().item<float>(), 0.8, 1.25);
    }

    private static ModelConfig Small(string architecture)
    {
        return ArchitectureRegistry.CreateConfig(architecture, 17, 16, 2, 2, 12);
    }

    private static LanguageModel Initialized(string architecture, long seed)
    {
        var model = LanguageModel.Create(Small(architecture), ModelContext.Default);
        model.Initialize(seed);
        return model;
    }

    private static void AssertUnit(Tensor matrix, long dimension)
        => Assert.True(matrix.square().sum(dimension).allclose(ones(matrix.shape[1 - dimension]), rtol: 1e-5));
}
