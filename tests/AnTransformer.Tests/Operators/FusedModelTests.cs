using AnTransformer.Architectures;
using AnTransformer.Configuration;
using AnTransformer.Operators;
using AnTransformer.Optimization;
using AnTransformer.Reference;
using AnTransformer.Tests.Kernels;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Operators;

/// <summary>Whole models on fused operators against the eager twins, in fp32, on sizes that no vector and no tile divides.</summary>
public sealed class FusedModelTests
{
    public static TheoryData<string, bool, int, int, int, int> Cases
    {
        get
        {
            var cases = new TheoryData<string, bool, int, int, int, int>();
            foreach (var architecture in ArchitectureRegistry.Names)
            {
                foreach (var queryKeyNorm in new[] { true, false })
                {
                    // Width, MLP width, sequences, tokens: one token of one sequence; nothing a multiple of 16; several blocks.
                    cases.Add(architecture, queryKeyNorm, 4, 3, 1, 1);
                    cases.Add(architecture, queryKeyNorm, 20, 37, 3, 9);
                    cases.Add(architecture, queryKeyNorm, 48, 100, 9, 70);
                }
            }

            return cases;
        }
    }

    public static TheoryData<string> Architectures => new(ArchitectureRegistry.Names);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Loss_logits_and_gradients_equal_the_eager_twins(string architecture, bool queryKeyNorm, int d, int f, int batch, int length)
    {
        using var scope = NewDisposeScope();
        using var model = Create(architecture, d, f, length, queryKeyNorm);
        using var twin = EagerModel.Create(model.Config, CPU);
        twin.CopyFrom(model);
        var (tokens, targets) = Batch(batch, length);
        var loss = model.Loss(tokens, targets);
        Assert.Equal(twin.Loss(tokens, targets).item<float>(), loss.item<float>(), 2e-6 * loss.item<float>());
        AssertNear(twin.forward(tokens), model.forward(tokens), 1e-5, "logits");
        using (no_grad())
            AssertNear(model.TokenLosses(tokens, targets).mean(), loss, 1e-6, "mean of the tokens' losses");
        BackwardPass.Run(loss);
        AssertGradients(model, twin, tokens, targets, factor: 1);
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Gradients_add_up_in_place_and_follow_the_losss_factor(string architecture)
    {
        using var scope = NewDisposeScope();
        using var model = Create(architecture, 20, 37, 9, queryKeyNorm: true);
        using var twin = EagerModel.Create(model.Config, CPU);
        twin.CopyFrom(model);
        var (tokens, targets) = Batch(3, 9);
        using var gradients = model.Store.Gradients();
        BackwardPass.Run(model.Loss(tokens, targets) / 4);
        BackwardPass.Run(model.Loss(tokens, targets) * 0.5);
        AssertGradients(model, twin, tokens, targets, factor: 0.75);
        Assert.True(gradients.abs().sum().item<float>() > 0);
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Steps_of_the_fused_optimizer_equal_the_eager_twins(string architecture)
    {
        using var scope = NewDisposeScope();
        using var model = Create(architecture, 20, 37, 9, queryKeyNorm: true);
        using var twin = EagerModel.Create(model.Config, CPU);
        twin.CopyFrom(model);
        using var training = new EagerTraining(twin, gradientClipping: 0.5);
        var defaults = ArchitectureRegistry.Get(model.Config.Architecture).Training;
        using var adam = new Optimizer(model, new OptimizerSettings { WeightDecay = defaults.WeightDecay });
        for (var step = 0; step < 10; step++)
        {
            var (tokens, targets) = Batch(3, 9, seed: step);
            var loss = model.Loss(tokens, targets);
            BackwardPass.Run(loss);
            var expected = training.ForwardBackward(tokens, targets);
            Assert.Equal(expected, loss.item<float>(), 1e-4);
            training.Update(1e-3);
            adam.Update(1e-3, Math.Min(1, 0.5 / (adam.GradientNorm() + 1e-6)));
            Assert.Equal(0, adam.GradientNorm());
        }
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void The_eager_path_gives_the_same(string architecture)
    {
        using var scope = NewDisposeScope();
        var (tokens, targets) = Batch(3, 9);
        Assert.Equal(Loss(), Eagerly.Run(Loss), 1e-5);

        float Loss()
        {
            using var model = Create(architecture, 20, 37, 9, queryKeyNorm: true);
            return model.Loss(tokens, targets).item<float>();
        }
    }

    [Fact]
    public void Targets_outside_the_vocabulary_are_treated_as_LibTorch_treats_them()
    {
        using var scope = NewDisposeScope();
        using var model = Create("angpt", 20, 37, 9, queryKeyNorm: true);
        using var twin = EagerModel.Create(model.Config, CPU);
        twin.CopyFrom(model);
        var (tokens, targets) = Batch(3, 9);
        targets[0, 3] = -100;       // LibTorch's index to ignore
        Assert.Equal(twin.Loss(tokens, targets).item<float>(), model.Loss(tokens, targets).item<float>(), 1e-5);
        targets[0, 3] = 999;
        Assert.Throws<System.Runtime.InteropServices.ExternalException>(() => model.Loss(tokens, targets));
        tokens[0, 3] = 999;
        Assert.Throws<ArgumentOutOfRangeException>(() => model.forward(tokens));
    }

    [Fact]
    public void Inputs_that_are_not_contiguous_fall_back()
    {
        using var scope = NewDisposeScope();
        var projection = new Projection(6, 5, ModelContext.Default);
        using (no_grad())
            projection.Weight.copy_(randn(5, 6));
        var x = randn(6, 4).t();
        AssertNear(x.mm(projection.Weight.t()) * 3, projection.forward(x, 3), 1e-6, "product");
        AssertNear(projection.forward(x.contiguous(), 3), projection.forward(x, 3), 1e-6, "both ways");
        AssertNear(projection.forward(zeros(0, 6)), zeros(0, 5), 1, "nothing");
    }

    [Fact]
    public void Targets_of_another_length_are_refused()
    {
        using var scope = NewDisposeScope();
        using var model = Create("gpt+", 20, 37, 9, queryKeyNorm: true);
        var (tokens, targets) = Batch(3, 9);
        Assert.Throws<System.Runtime.InteropServices.ExternalException>(() => model.Loss(tokens, targets[.., ..8].contiguous()));
        using var noGrad = no_grad();
        Assert.Throws<System.Runtime.InteropServices.ExternalException>(() => model.TokenLosses(tokens, targets[..2]));
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Frozen_parameters_stay_as_they_are(string architecture)
    {
        using var scope = NewDisposeScope();
        using var model = Create(architecture, 20, 37, 9, queryKeyNorm: true);
        using var adam = new Optimizer(model, new OptimizerSettings { WeightDecay = 0.1 });
        var frozen = model.NamedParameters().Where((_, index) => index % 2 == 0).Select(item => item.Parameter).ToList();
        frozen.ForEach(parameter => parameter.requires_grad = false);
        var before = frozen.Select(parameter => parameter.detach().clone()).ToList();
        var (tokens, targets) = Batch(3, 9);
        BackwardPass.Run(model.Loss(tokens, targets));
        adam.Update(0.1);
        Assert.All(frozen.Zip(before), pair => Assert.True(pair.First.equal(pair.Second).all().item<bool>()));
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void A_tiny_factor_of_the_loss_keeps_the_gradients_precision(string architecture)
    {
        using var scope = NewDisposeScope();
        using var model = Create(architecture, 20, 37, 9, queryKeyNorm: true);
        using var flat = model.Store.Gradients();
        var (tokens, targets) = Batch(3, 9);
        BackwardPass.Run(model.Loss(tokens, targets));
        var whole = flat.clone();
        flat.zero_();
        BackwardPass.Run(model.Loss(tokens, targets) * 1e-9);
        AssertNear(whole, flat * 1e9, 1e-5, "gradients");
    }

    [Fact]
    public void A_step_without_gradients_changes_nothing()
    {
        using var scope = NewDisposeScope();
        using var model = LanguageModel.Create(
            ArchitectureRegistry.CreateConfig("ngpt", 43, 20, 2, 2, 9), new ModelContext(CPU, ScalarType.Float64, ScalarType.Float64));
        model.Initialize(seed: 1);
        using var adam = new Optimizer(model.NamedParameters(), new OptimizerSettings());
        using var constrained = new Optimizer(model, new OptimizerSettings());
        model.zero_grad();
        var before = model.NamedParameters().Select(item => item.Parameter.detach().clone()).ToList();
        adam.Update(0.1);
        constrained.Update(0.1);
        Assert.All(model.NamedParameters().Zip(before), pair => Assert.True(pair.First.Parameter.allclose(pair.Second, rtol: 1e-14)));
    }

    [Fact]
    public void Shapes_that_broadcast_or_do_not_fit_are_left_to_LibTorch()
    {
        using var scope = NewDisposeScope();
        var projection = new Projection(6, 5, ModelContext.Default);
        using (no_grad())
            projection.Weight.copy_(randn(5, 6));
        var (x, stream) = (randn(2, 40, 6), randn(1, 40, 5));
        AssertNear(stream + projection.forward(x), projection.AddTo(stream, x), 1e-6, "broadcast stream");
        Assert.ThrowsAny<Exception>(() => projection.forward(randn(40, 5)));
        Assert.ThrowsAny<Exception>(() => projection.forward(randn(40, 12)));
    }

    internal static LanguageModel Create(
        string architecture, int d, int f, int length, bool queryKeyNorm, Func<ModelConfig, ModelConfig>? change = null)
    {
        var config = ArchitectureRegistry.CreateConfig(architecture, 43, d, 2, 2, length, f) with
        {
            QkNorm = queryKeyNorm,
            Alpha = new ScaleInit(0.2, 0.5),
            LogitScale = new ScaleInit(3, 1),
            QkScale = new ScaleInit(1.3, 0.5),
            MlpScale = new ScaleInit(0.8, 2),
        };
        var model = LanguageModel.Create(change is null ? config : change(config), ModelContext.Default);
        model.Initialize(seed: 5);
        using var noGrad = no_grad();
        using var generator = new Generator(6, CPU);
        foreach (var (_, parameter) in model.NamedParameters())
        {
            using var scope = NewDisposeScope();
            if (parameter.dim() == 1)       // gains and scales that differ, some of them negative
                parameter.mul_(1 + (0.7 * randn(parameter.shape, generator: generator)));
        }

        return model;
    }

    internal static (Tensor Tokens, Tensor Targets) Batch(int batch, int length, int seed = 7)
    {
        using var generator = new Generator((ulong)seed, CPU);
        return (randint(43, [batch, length], dtype: int64, generator: generator), randint(43, [batch, length], dtype: int64, generator: generator));
    }

    /// <summary>
    /// The model's gradients against the twin's in float64: near, or, where a sum cancels so far that fp32 holds less of it,
    /// of the same size as the fp32 twin's own error.
    /// </summary>
    internal static void AssertGradients(LanguageModel model, EagerModel twin, Tensor tokens, Tensor targets,
        double factor)
    {
        using var oracle = EagerModel.Create(model.Config, CPU, float64);
        oracle.CopyFrom(model);
        var expected = Gradients(oracle, tokens, targets, factor);
        var rounded = Gradients(twin, tokens, targets, factor);
        using var noGrad = no_grad();
        foreach (var (name, parameter) in model.NamedParameters())
        {
            var error = MaximalError(expected[name], parameter.grad!);
            var near = 3e-5 * Math.Max(1e-2, expected[name].abs().max().item<double>());
            var eager = MaximalError(expected[name], rounded[name]);
            Assert.True(
                error <= Math.Max(near, 4 * eager), $"{name} differs by {error}, eager operators in fp32 by {eager}");
        }
    }

    private static Dictionary<string, Tensor> Gradients(EagerModel twin, Tensor tokens, Tensor targets, double factor)
    {
        (twin.Loss(tokens, targets) * factor).backward();
        return twin.NamedParameters.ToDictionary(
            item => item.Name, item => item.Parameter.grad!, StringComparer.Ordinal);
    }

    private static double MaximalError(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        return expected.numel() == 0 ? 0 : (expected - actual).abs().max().item<double>();
    }

    internal static void AssertNear(Tensor expected, Tensor actual, double tolerance, string what)
    {
        using var noGrad = no_grad();
        Assert.Equal(expected.shape, actual.shape);
        if (expected.numel() == 0)
            return;
        var error = (expected - actual).abs().max().item<float>();
        // A gradient that is 0 in exact arithmetic (softmax over one token) is rounding noise on both sides.
        Assert.True(error <= tolerance * Math.Max(1e-2, expected.abs().max().item<float>()), $"{what} differs by {error}");
    }
}
