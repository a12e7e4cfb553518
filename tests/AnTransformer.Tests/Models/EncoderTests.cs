using AnTransformer.Architectures;
using AnTransformer.Operators;
using AnTransformer.Optimization;
using AnTransformer.Tests.Operators;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Models;

/// <summary>Blocks of every architecture outside of a language model.</summary>
public sealed class EncoderTests
{
    public static TheoryData<string> Architectures => new(ArchitectureRegistry.Names);

    /// <summary>With the same parameters; the language model's embedding gives the encoder its input, and its head is applied here.</summary>
    [Theory]
    [MemberData(nameof(Architectures))]
    public void It_computes_what_a_language_model_computes_between_embedding_and_head(string architecture)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = FusedModelTests.Create(
            architecture, 20, 37, 9, queryKeyNorm: true, config => config with { IsCausal = false });
        using var encoder = Encoder.Create(model.Config, ModelContext.Default);
        var weights = model.NamedParameters().ToDictionary(item => item.Name, item => item.Parameter, StringComparer.Ordinal);
        foreach (var (name, parameter, _, _, _) in encoder.TrainedParameters("model."))
            parameter.copy_(weights[name]);
        var (tokens, _) = FusedModelTests.Batch(3, 9);
        var h = model.EmbedTokens.forward(tokens);
        if (weights.TryGetValue("model.embed_scale", out var scale))
            h *= scale;
        var logits = model.Head.forward(encoder.forward(h));
        if (weights.TryGetValue("logit_scale", out var stored))
            logits *= stored * (model.Config.LogitScale.Init / model.Config.LogitScale.Scale);
        FusedModelTests.AssertNear(model.forward(tokens), logits, 1e-5, "logits");
    }

    /// <summary>What a model around an encoder gets from the optimizer is what a language model gets.</summary>
    [Theory]
    [MemberData(nameof(Architectures))]
    public void It_starts_and_steps_as_a_language_models_blocks(string architecture)
    {
        using var scope = NewDisposeScope();
        var config = ArchitectureRegistry.CreateConfig(architecture, 43, 20, 2, 2, 9, 37);
        var settings = OptimizerSettings.For(config);
        using var model = LanguageModel.Create(config, ModelContext.Default);
        using var encoder = Encoder.Create(config, ModelContext.Default);
        model.Initialize(seed: 3);
        encoder.Initialize(seed: 4);
        var ours = encoder.TrainedParameters("model.").ToList();
        var theirs = model.NamedParameters().ToDictionary(item => item.Name, item => item.Parameter, StringComparer.Ordinal);
        Assert.All(ours, item => AssertDrawnAlike(theirs[item.Name], item.Parameter, item.Name));

        using (no_grad())
        {
            foreach (var item in ours)
                item.Parameter.copy_(theirs[item.Name]);
        }

        using var modelOptimizer = new Optimizer(model, settings);
        using var encoderOptimizer = new Optimizer(ours, settings);
        using var generator = new Generator(5, CPU);
        for (var step = 0; step < 3; step++)
        {
            foreach (var item in ours)
            {
                var gradient = randn(item.Parameter.shape, generator: generator);
                item.Parameter.grad = gradient;
                theirs[item.Name].grad!.copy_(gradient);
            }

            // Large enough for rows to leave the unit ball, and no clipping, of which the norm of other parameters would be a part.
            modelOptimizer.Update(0.3, gradientFactor: 1);
            encoderOptimizer.Update(0.3, gradientFactor: 1);
        }

        Assert.All(ours, item => FusedModelTests.AssertNear(theirs[item.Name], item.Parameter, 1e-6, item.Name));
    }

    [Fact]
    public void Gradients_equal_finite_differences_in_its_input()
    {
        using var scope = NewDisposeScope();
        var config = ArchitectureRegistry.CreateConfig("angpt", 1, 8, 2, 2, 6, 12) with { IsCausal = false };
        using var encoder = Encoder.Create(config, new ModelContext(CPU, ScalarType.Float64, ScalarType.Float64));
        encoder.Initialize(seed: 5);
        using var generator = new Generator(7, CPU);
        var (x, weights, direction) = (Drawn(), Drawn(), Drawn());
        x.requires_grad = true;
        (encoder.forward(x) * weights).sum().backward();
        var expected = (x.grad! * direction).sum().item<double>();
        using var noGrad = no_grad();
        var measured = (At(1e-5) - At(-1e-5)) / 2e-5;
        Assert.Equal(expected, measured, 1e-6 * Math.Max(1, Math.Abs(expected)));

        double At(double step) => (encoder.forward(x + (direction * step)) * weights).sum().item<double>();

        Tensor Drawn() => randn([2, 5, 8], dtype: ScalarType.Float64, generator: generator);
    }

    [Fact]
    public void Another_width_and_too_many_vectors_are_refused()
    {
        using var scope = NewDisposeScope();
        using var encoder = Encoder.Create(
            ArchitectureRegistry.CreateConfig("gpt", 1, 8, 2, 1, 6) with { IsCausal = false }, ModelContext.Default);
        Assert.Throws<ArgumentException>(() => encoder.forward(zeros(1, 6, 9)));
        Assert.Throws<ArgumentException>(() => encoder.forward(zeros(1, 7, 8)));
        Assert.Throws<ArgumentException>(() => encoder.forward(zeros(6, 8)));
    }

    /// <summary>Vectors have equal norms where these are fixed, and entries the same size where they are not.</summary>
    private static void AssertDrawnAlike(Tensor expected, Tensor actual, string name)
    {
        using var noGrad = no_grad();
        Assert.Equal(expected.shape, actual.shape);
        var (theirs, ours) = (expected.norm().item<float>(), actual.norm().item<float>());
        Assert.True(Math.Abs(theirs - ours) <= 0.15 * theirs, $"{name}: {theirs} and {ours}");
    }
}
