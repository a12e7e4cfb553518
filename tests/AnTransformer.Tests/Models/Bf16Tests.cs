using AnTransformer.Architectures;
using AnTransformer.Layers;
using AnTransformer.Operators;
using AnTransformer.Optimization;
using AnTransformer.Reference;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace AnTransformer.Tests.Models;

/// <summary>
/// Matrix products in bf16 against the fused fp32 kernels, on models that have been trained: with logits far from 0 and scales far from 1,
/// so that a factor left out, applied twice or computed in bf16 shows.
/// </summary>
public sealed class Bf16Tests
{
    // bf16 rounds to 8 bits, a relative error of at most half of this.
    private const double Epsilon = 1.0 / 256;

    // Logits of two blocks are behind some 20 roundings of independent sign, √20 · ε/2 · 1/√3 = 1.3 ε; measured: at most 1.1 ε.
    // Three roundings where no norm takes a part of the stream's error away again (dyt, derf), two elsewhere.
    private const double OfLogits = 3 * Epsilon;

    // Gradients are behind some 60, √60 · ε/2 · 1/√3 = 2.2 ε. Those of queries and keys are small differences of larger terms,
    // p ⊙ (dp − Σ p dp), which doubles or trebles it; measured: at most 5.6 ε.
    private const double OfGradients = 8 * Epsilon;

    public static TheoryData<string> Architectures => new(ArchitectureRegistry.Names);

    [Theory]
    [MemberData(nameof(Architectures))]
    public void A_model_in_bf16_computes_what_it_does_in_fp32(string architecture)
    {
        using var scope = NewDisposeScope();
        using var single = Trained(architecture);
        using var mixed = LanguageModel.Create(single.Config, new ModelContext(CPU, ScalarType.Float32, ScalarType.BFloat16));
        using (no_grad())
        {
            foreach (var (from, to) in single.NamedParameters().Zip(mixed.NamedParameters()))
                to.Parameter.copy_(from.Parameter);
        }

        var (tokens, targets) = Batch(seed: 100);
        AssertAgree(single, mixed.forward(tokens), mixed.Loss(tokens, targets), mixed.NamedParameters());
        using (no_grad())
            AssertNear(single.TokenLosses(tokens, targets), mixed.TokenLosses(tokens, targets), OfLogits, "losses of tokens");
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void The_eager_twin_in_bf16_computes_what_the_model_does_in_fp32(string architecture)
    {
        using var scope = NewDisposeScope();
        using var single = Trained(architecture);
        using var twin = EagerModel.Create(single.Config, CPU, ScalarType.Float32, ScalarType.BFloat16);
        twin.CopyFrom(single);
        var (tokens, targets) = Batch(seed: 100);
        AssertAgree(single, twin.forward(tokens), twin.Loss(tokens, targets), twin.NamedParameters);
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void The_residual_stream_is_not_rounded(string architecture)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var mixed = LanguageModel.Create(
            ArchitectureRegistry.CreateConfig(architecture, 61, 64, 2, 2, 32), new ModelContext(CPU, ScalarType.Float32, ScalarType.BFloat16));
        mixed.Initialize(seed: 6);
        var observer = new StreamObserver();
        mixed.forward(Batch(seed: 100).Tokens, cache: null, observer);
        Assert.Equal(1 + (2 * mixed.Config.NumHiddenLayers), observer.Streams);
    }

    private static void AssertAgree(LanguageModel single, Tensor logits, Tensor loss, IEnumerable<(string Name, Parameter Parameter)> parameters)
    {
        var (tokens, targets) = Batch(seed: 100);
        var expected = single.forward(tokens);
        Assert.True(expected.std().item<float>() > 0.5, "logits say something");
        AssertNear(expected, logits, OfLogits, "logits");
        var expectedLoss = single.Loss(tokens, targets);
        Assert.Equal(ScalarType.Float32, loss.dtype);
        AssertNear(expectedLoss, loss, Epsilon, "loss");
        single.Store.Gradients().zero_();
        BackwardPass.Run(expectedLoss);
        loss.backward();
        var gradients = single.NamedParameters().ToDictionary(item => item.Name, item => item.Parameter.grad!, StringComparer.Ordinal);
        Assert.Equal(gradients.Count, parameters.Count());
        foreach (var (name, parameter) in parameters)
        {
            Assert.Equal(ScalarType.Float32, parameter.grad!.dtype);
            if (parameter.numel() > 1)
                AssertNear(gradients[name], parameter.grad, OfGradients, "gradient of " + name);
        }

        // The gradient of a single number is one sum over all positions and channels, which may happen to cancel: all of them together.
        var numbers = parameters.Where(item => item.Parameter.numel() == 1).ToList();
        if (numbers.Count == 0)
            return;
        AssertNear(
            cat([.. numbers.Select(item => gradients[item.Name])]), cat([.. numbers.Select(item => item.Parameter.grad!)]), OfGradients,
            "gradients of single numbers");
    }

    /// <summary>‖actual − expected‖ ≤ tolerance · ‖expected‖, and not the same to the bit: that would not be bf16.</summary>
    private static void AssertNear(Tensor expected, Tensor actual, double tolerance, string what)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Assert.Equal(expected.shape, actual.shape);
        var wanted = expected.to(ScalarType.Float64);
        var error = ((actual.to(ScalarType.Float64) - wanted).norm() / wanted.norm()).item<double>();
        Assert.True(error <= tolerance, $"{what}: differs by {error / Epsilon:F2} · 2⁻⁸, allowed are {tolerance / Epsilon:F0}");
        Assert.True(expected.dim() == 0 || error > Epsilon / 100, $"{what}: differs by {error / Epsilon:F4} · 2⁻⁸, which is no bf16");
    }

    /// <summary>A model that has learned to map tokens to others, its gains and scales spread further still.</summary>
    private static LanguageModel Trained(string architecture)
    {
        var model = LanguageModel.Create(ArchitectureRegistry.CreateConfig(architecture, 61, 64, 2, 2, 32), ModelContext.Default);
        model.Initialize(seed: 6);
        using var adam = new Optimizer(model, new OptimizerSettings());
        // A bounded function that saturates has a derivative e^−2|z|, whose relative error is 2|z| times that of the stream: not what is tested.
        var rate = ArchitectureRegistry.Get(architecture) is SquashingDefinition ? 2e-3 : 1e-2;
        for (var step = 0; step < 60; step++)
        {
            using var scope = NewDisposeScope();
            var (tokens, _) = Batch(step);
            BackwardPass.Run(model.Loss(tokens, ((tokens * 7) + 3) % 61));
            adam.Update(rate);
        }

        using var noGrad = no_grad();
        using var generator = new Generator(9, CPU);
        foreach (var (_, parameter) in model.NamedParameters())
        {
            if (parameter.dim() == 1)
                parameter.mul_(1 + (0.5 * randn(parameter.shape, generator: generator)));
        }

        return model;
    }

    private static (Tensor Tokens, Tensor Targets) Batch(int seed)
    {
        using var generator = new Generator((ulong)seed, CPU);
        return (randint(61, [4, 32], dtype: int64, generator: generator), randint(61, [4, 32], dtype: int64, generator: generator));
    }

    /// <summary>Counts values of the stream, and fails where one has been through bf16.</summary>
    private sealed class StreamObserver : IActivationObserver
    {
        public int Streams { get; private set; }

        public void Observe(int? layer, Activation activation, Tensor value)
        {
            if (activation is not (Activation.Embedding or Activation.StreamAfterAttention or Activation.StreamAfterMlp))
                return;
            using var scope = NewDisposeScope();
            Streams++;
            Assert.Equal(ScalarType.Float32, value.dtype);
            var exact = value.to(ScalarType.BFloat16).to(ScalarType.Float32).eq(value).to(ScalarType.Float32).mean().item<float>();
            Assert.True(exact < 0.1, $"{activation}: {exact:P0} of the values are bf16 numbers");
        }
    }
}
