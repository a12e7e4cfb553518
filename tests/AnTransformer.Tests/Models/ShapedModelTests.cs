using AnTransformer.Architectures;
using AnTransformer.Checkpoints;
using AnTransformer.Generation;
using AnTransformer.Inspection;
using AnTransformer.Layers;
using AnTransformer.Operators;
using AnTransformer.Optimization;
using AnTransformer.Reference;
using AnTransformer.Tests.Checkpoints;
using AnTransformer.Tests.Operators;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Models;

/// <summary>Every architecture with other shapes of attention and with tied embeddings.</summary>
public sealed class ShapedModelTests
{
    public static TheoryData<string, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, string>();
            foreach (var architecture in ArchitectureRegistry.Names)
            {
                foreach (var shape in Shapes.All.Keys)
                    cases.Add(architecture, shape);
            }

            return cases;
        }
    }

    public static TheoryData<string> Architectures => new(ArchitectureRegistry.Names);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Fused_operators_equal_the_eager_twin(string architecture, string shape)
    {
        foreach (var (batch, length) in new[] { (3, 9), (2, 70), (1, 1) })
        {
            using var scope = NewDisposeScope();
            using var model = Create(architecture, shape, length);
            using var twin = EagerModel.Create(model.Config, CPU);
            twin.CopyFrom(model);
            var (tokens, targets) = FusedModelTests.Batch(batch, length);
            using var gradients = model.Store.Gradients();
            var loss = model.Loss(tokens, targets);
            Assert.Equal(twin.Loss(tokens, targets).item<float>(), loss.item<float>(), 2e-6 * loss.item<float>());
            FusedModelTests.AssertNear(twin.forward(tokens), model.forward(tokens), 1e-5, "logits");
            BackwardPass.Run(loss);
            BackwardPass.Run(model.Loss(tokens, targets) * 0.5);
            FusedModelTests.AssertGradients(model, twin, tokens, targets, factor: 1.5);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Steps_equal_the_eager_twins(string architecture, string shape)
    {
        using var scope = NewDisposeScope();
        using var model = Create(architecture, shape, length: 9);
        using var twin = EagerModel.Create(model.Config, CPU);
        twin.CopyFrom(model);
        using var training = new EagerTraining(twin, gradientClipping: 0);
        using var adam = new Optimizer(
            model, new OptimizerSettings { WeightDecay = ArchitectureRegistry.Get(architecture).Training.WeightDecay });
        for (var step = 0; step < 5; step++)
        {
            var (tokens, targets) = FusedModelTests.Batch(3, 9, seed: step);
            var loss = model.Loss(tokens, targets);
            BackwardPass.Run(loss);
            Assert.Equal(training.ForwardBackward(tokens, targets), loss.item<float>(), 1e-4);
            training.Update(1e-3);
            adam.Update(1e-3);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Parameters_are_counted_as_they_are(string architecture, string shape)
    {
        using var model = Create(architecture, shape, length: 9);
        Assert.Equal(model.NamedParameters().Sum(item => item.Parameter.numel()), ModelCost.Parameters(model.Config));
        var matrices = model.Matrices().Sum(item => item.Matrix.numel());
        Assert.Equal(
            matrices - (model.Config.TieWordEmbeddings ? 0 : model.EmbedTokens.Weight.numel()),
            ModelCost.MatrixParameters(model.Config));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Cached_and_uncached_logits_agree(string architecture, string shape)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = Create(architecture, shape, length: 12);
        var tokens = tensor(new long[,] { { 3, 1, 4, 1, 5, 9, 2, 6 } });
        using var cache = new KeyValueCache(model.Config.NumHiddenLayers, model.Config.MaxPositionEmbeddings);
        if (!model.Config.IsCausal)
        {
            Assert.Contains("no key-value cache",
                Assert.Throws<InvalidOperationException>(() => model.forward(tokens, cache)).Message,
                StringComparison.Ordinal);
            Assert.Throws<InvalidInputException>(() => new TextGenerator(model, useCache: false).Generate([1], 1,
                new SamplingOptions()));
            return;
        }

        var whole = model.forward(tokens);
        foreach (var (start, end) in new[] { (0, 3), (3, 4), (4, 7), (7, 8) })
        {
            var logits = model.forward(tokens[.., start..end], cache);
            FusedModelTests.AssertNear(whole[.., start..end], logits, 1e-5, $"tokens {start} to {end}");
        }

        var options = new SamplingOptions(Temperature: 0.9, TopK: 8, Seed: 7);
        Assert.Equal(
            new TextGenerator(model, useCache: false).Generate([1, 2, 3], 20, options),
            new TextGenerator(model).Generate([1, 2, 3], 20, options));
    }

    /// <summary>Keys that no later token sees are overwritten; what is left attends as all of them would.</summary>
    [Theory]
    [InlineData(1, 1)]
    [InlineData(4, 1)]
    [InlineData(4, 3)]
    [InlineData(5, 13)]
    public void A_cache_of_a_window_holds_twice_the_window_and_changes_nothing(int window, int chunk)
    {
        const int Length = 40;
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var config = ArchitectureRegistry.CreateConfig("angpt", 43, 48, 2, 2, Length, 100) with { SlidingWindow = window };
        using var model = LanguageModel.Create(config, ModelContext.Default);
        model.Initialize(seed: 5);
        var (tokens, _) = FusedModelTests.Batch(2, Length);
        using var cache = new KeyValueCache(config.NumHiddenLayers, Length, config.Attention.Span);
        var parts = new List<Tensor>();
        for (long at = 0; at < Length; at += chunk)
            parts.Add(model.forward(tokens.narrow(1, at, Math.Min(chunk, Length - at)), cache));
        FusedModelTests.AssertNear(model.forward(tokens), cat(parts, 1), 1e-4, "logits");
        Assert.Equal(Length, cache.Length);
        using var layer = new LayerCache(Length, window);
        for (var i = 0; i < Length; i++)
        {
            var part = full([1, 1, 1, 2], (float)i);
            var (keys, values) = layer.Append(part, part);
            Assert.InRange(keys.shape[2], Math.Min(i + 1, window), 2 * window);
            Assert.Equal((i, i), (keys[0, 0, -1, 0].item<float>(), values[0, 0, -1, 0].item<float>()));
        }
    }

    [Fact]
    public void The_cache_holds_key_value_heads_only()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var cache = new LayerCache(capacity: 5);
        var (keys, _) = cache.Append(randn(1, 2, 3, 6), randn(1, 2, 3, 6));
        Assert.Equal([1, 2, 3, 6], keys.shape);
        using var model = Create("angpt", "grouped", length: 12);
        using var all = new KeyValueCache(model.Config.NumHiddenLayers, 12);
        model.forward(tensor(new long[,] { { 3, 1, 4 } }), all);
        var (held, _) = all[0].Append(randn(1, 2, 1, 6), randn(1, 2, 1, 6));
        Assert.Equal([1, 2, 4, 6], held.shape);
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Without_a_mask_every_token_changes_every_logit(string architecture)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = Create(architecture, "bidirectional", length: 5);
        var before = model.forward(tensor(new long[,] { { 1, 2, 3, 4, 5 } }));
        var after = model.forward(tensor(new long[,] { { 1, 2, 3, 4, 9 } }));
        Assert.All(Enumerable.Range(0, 5), token => Assert.False(before[0, token].allclose(after[0, token])));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Checkpoints_hold_what_there_is_once(string architecture, string shape)
    {
        using var scope = NewDisposeScope();
        using var directory = new TemporaryDirectory();
        using var model = Create(architecture, shape, length: 9);
        ModelCheckpoint.Save(model, directory.Path);
        using var loaded = ModelCheckpoint.Load(directory.Path, ModelContext.Default);
        Assert.Equal(model.Config.Attention, loaded.Config.Attention);
        Assert.Equal(model.Config.TieWordEmbeddings, loaded.Config.TieWordEmbeddings);
        using var file = SafetensorsFile.Open(Path.Combine(directory.Path, ModelCheckpoint.WeightsFile));
        Assert.Equal(!model.Config.TieWordEmbeddings, file.Names.Contains("lm_head.weight"));
        var (tokens, _) = FusedModelTests.Batch(2, 9);
        using var noGrad = no_grad();
        Assert.True(model.forward(tokens).equal(loaded.forward(tokens)).all().item<bool>());
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void A_tied_head_is_the_embedding(string architecture)
    {
        using var model = Create(architecture, "tied", length: 9);
        Assert.Equal(model.EmbedTokens.Weight.Handle, model.Head.Weight.Handle);
        Assert.Equal(ParameterRole.Embedding, model.RoleOf(model.Head.Weight));
        Assert.Single(model.Matrices(), item => item.Matrix.Handle == model.Head.Weight.Handle);
        Assert.Single(model.Store.Parameters, item => item.Parameter.Handle == model.Head.Weight.Handle);
    }

    [Fact]
    public void The_stream_of_anGPT_has_about_unit_norm_whatever_the_shape()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        // Many heads of which groups share values, wider together than d, and one token, of which attention returns the
        // value itself.
        var config = ArchitectureRegistry.CreateConfig("angpt", 512, 256, 8, 2, 4) with
        {
            NumKeyValueHeads = 2,
            HeadDim = 64,
        };
        using var model = LanguageModel.Create(config, ModelContext.Default);
        model.Initialize(seed: 9);
        var tokens = randint(512, [256, 1], dtype: int64);
        var inspection = ModelInspection.Measure(model, [(tokens, tokens)], withSpectrum: false,
            TestContext.Current.CancellationToken);
        foreach (var (activation, norm) in new[]
        {
            (Activation.Query, 1), (Activation.Key, 1), (Activation.Value, 1), (Activation.Attention, Math.Sqrt(8)),
            (Activation.AttentionOutput, 1), (Activation.StreamAfterAttention, 1),
        })
        {
            var found = inspection.Norm(0, activation);
            Assert.Equal(norm, found.Predicted!.Value, 12);
            Assert.InRange(found.Norm.RootMeanSquare / norm, 0.95, 1.05);
        }
    }

    private static LanguageModel Create(string architecture, string shape, int length)
        => FusedModelTests.Create(architecture, 20, 37, length, queryKeyNorm: true, Shapes.All[shape]);
}
