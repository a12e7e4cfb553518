using AnTransformer.Architectures;
using AnTransformer.Operators;
using AnTransformer.Optimization;
using AnTransformer.Tests.Kernels;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Optimization;

public sealed class SpectralClippingTests
{
    private const double Rate = 1e-3;

    [Fact]
    public void A_step_along_one_direction_is_cut_to_the_limit_and_the_rest_of_it_stays()
    {
        using var scope = NewDisposeScope();
        using var model = Model("gpt+");
        using var adam = new Optimizer(model, new OptimizerSettings { SpectralClip = 1 });
        var matrix = model.Blocks[0].Mlp.UpProj.Weight;
        using var generator = new Generator(5, CPU);
        // Signs that most rows and columns share, and noise that they do not.
        var gradient = outer(ones(matrix.shape[0]), ones(matrix.shape[1])) + (randn(matrix.shape, generator: generator) * 0.3);
        Tensor change = null!;
        for (var step = 0; step < 20; step++)
        {
            var before = matrix.detach().clone();
            Gradient(matrix, gradient);
            adam.Update(Rate);
            change = (before - matrix) / Rate;
        }

        var (rows, columns) = (matrix.shape[0], matrix.shape[1]);
        var unclipped = gradient.sign();
        var limit = Math.Sqrt(rows) + Math.Sqrt(columns);
        Assert.True(linalg.svdvals(unclipped)[0].item<float>() > 1.5 * limit);
        Assert.Equal(limit, linalg.svdvals(change)[0].item<float>(), 0.05 * limit);
        Assert.True((linalg.svdvals(change)[1] - linalg.svdvals(unclipped)[1]).abs().item<float>() < 0.1 * limit);
    }

    [Theory]
    [InlineData("gpt+")]
    [InlineData("ngpt")]
    [InlineData("angpt")]
    public void A_limit_that_nothing_exceeds_changes_nothing_but_rounding(string architecture)
    {
        using var scope = NewDisposeScope();
        using var limited = Model(architecture);
        using var plain = Model(architecture);
        using var limitedAdam = new Optimizer(limited, new OptimizerSettings { SpectralClip = 1e6, WeightDecay = 0.1 });
        using var adam = new Optimizer(plain, new OptimizerSettings { WeightDecay = 0.1 });
        for (var step = 0; step < 3; step++)
        {
            Step(limited, limitedAdam);
            Step(plain, adam);
        }

        Assert.All(limited.NamedParameters().Zip(plain.NamedParameters()), pair => Assert.True(
            (pair.First.Parameter - pair.Second.Parameter).abs().max().item<float>() < 2e-5, pair.First.Name));
        Assert.Equal(0, limited.Store.Gradients().abs().max().item<float>());
    }

    [Fact]
    public void Kernels_and_tensor_operators_take_the_same_steps()
    {
        static float[] Train()
        {
            using var model = Model("angpt");
            using var adam = new Optimizer(model, new OptimizerSettings { SpectralClip = 0.5 });
            return [.. Enumerable.Range(0, 10).Select(_ => Step(model, adam))];
        }

        Assert.All(Train().Zip(Eagerly.Run(Train)), pair => Assert.Equal(pair.First, pair.Second, 1e-3f));
    }

    [Fact]
    public void Singular_vectors_are_part_of_the_state()
    {
        using var model = Model("angpt");
        using var adam = new Optimizer(model, new OptimizerSettings { SpectralClip = 1 });

        var state = adam.State().ToDictionary(item => item.Key, item => item.Value);

        Assert.Equal([16L], state["singular_vector.lm_head.weight"].shape);
        Assert.Equal([64L], state["singular_vector.model.layers.1.mlp.down_proj.weight"].shape);
        Assert.DoesNotContain("singular_vector.logit_scale", state.Keys);
    }

    private static LanguageModel Model(string architecture)
    {
        var model = LanguageModel.Create(ArchitectureRegistry.CreateConfig(architecture, 40, 16, 2, 2, 8), ModelContext.Default);
        model.Initialize(1);
        return model;
    }

    private static void Gradient(TorchSharp.Modules.Parameter parameter, Tensor gradient)
    {
        using var noGrad = no_grad();
        parameter.grad!.copy_(gradient);
    }

    private static float Step(LanguageModel model, Optimizer optimizer)
    {
        using var scope = NewDisposeScope();
        var tokens = arange(16, dtype: ScalarType.Int64).view(2, 8);
        var loss = model.Loss(tokens, tokens + 3);
        BackwardPass.Run(loss);
        optimizer.Update(Rate);
        return loss.item<float>();
    }
}
