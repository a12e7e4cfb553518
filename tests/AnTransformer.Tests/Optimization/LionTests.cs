using AnTransformer.Architectures;
using AnTransformer.Normalization;
using AnTransformer.Operators;
using AnTransformer.Optimization;
using AnTransformer.Tests.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Optimizer = AnTransformer.Optimization.Optimizer;

namespace AnTransformer.Tests.Optimization;

/// <summary>Lion by the formulas of arXiv 2302.06675, algorithm 2.</summary>
public sealed class LionTests
{
    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float64)]
    public void Two_steps_are_those_computed_by_hand(ScalarType dtype)
    {
        using var weights = new Parameter(tensor(new[] { 1.0, -1, 0.5, 2 }, dtype: dtype).view(1, 4));
        var settings = new OptimizerSettings { Rule = new LionRule(), WeightDecay = 0.5 };
        using var lion = new Optimizer([("w", weights)], settings);

        // c = 0.1 g; m = 0.01 g; w = (1 − 0.1·0.5) w − 0.1 sign c.
        Step([2, -3, 0, 0.5]);
        Near([0.85, -0.85, 0.475, 1.8], weights);
        Near([0.02, -0.03, 0, 0.005], lion.State().Single().Value);

        // c = 0.9 m + 0.1 g = 0.018 − 0.01, −0.027 + 0.03, −0.1, 0.0045 − 0.1; m = 0.99 m + 0.01 g.
        Step([-0.1, 0.3, -1, -1]);
        Near([0.7075, -0.9075, 0.55125, 1.81], weights);
        Near([0.0188, -0.0267, -0.01, -0.00505], lion.State().Single().Value);
        Assert.Equal(0, weights.grad!.count_nonzero().item<long>());
        Assert.Equal("exp_avg.w", lion.State().Single().Key);

        void Step(double[] gradient)
        {
            weights.grad = tensor(gradient, dtype: dtype).view(1, 4);
            lion.Update(0.1);
        }

        static void Near(double[] expected, Tensor actual)
            => Assert.All(
                expected.Zip(actual.to(ScalarType.Float64).data<double>()),
                pair => Assert.Equal(pair.First, pair.Second, 2e-7));
    }

    [Fact]
    public void Kernels_and_tensor_operators_agree_to_the_bit_in_weights_and_to_rounding_in_the_momentum()
    {
        static (Tensor Weights, Tensor Momentum) Run()
        {
            using var generator = new Generator(3, CPU);
            using var weights = new Parameter(randn([37, 61], generator: generator));
            var settings = new OptimizerSettings { Rule = new LionRule(), WeightDecay = 0.1 };
            using var lion = new Optimizer([("w", weights)], settings);
            for (var step = 0; step < 3; step++)
            {
                weights.grad = randn([37, 61], generator: generator);
                lion.Update(0.01, 0.5);
            }

            return (weights.detach().clone(), lion.State().Single().Value.clone());
        }

        var (fused, eager) = (Run(), Eagerly.Run(Run));
        Assert.Equal(0, (fused.Weights - eager.Weights).abs().max().item<float>());
        Assert.True((fused.Momentum - eager.Momentum).abs().max().item<float>() < 1e-7);
    }

    [Theory]
    [InlineData("gpt+", 0)]
    [InlineData("ngpt", 0)]
    [InlineData("angpt", 0)]
    [InlineData("angpt", 1)]
    public void A_model_learns_alike_by_kernels_and_by_tensor_operators_and_keeps_its_constraint(
        string architecture, double spectralClip)
    {
        float Train()
        {
            using var model = Model(architecture);
            var settings = new OptimizerSettings { Rule = new LionRule(), SpectralClip = spectralClip };
            using var lion = new Optimizer(model, settings);
            var losses = Enumerable.Range(0, 20).Select(_ => Step(model, lion, 1e-3)).ToList();
            Assert.True(losses[^1] < losses[0]);
            using var noGrad = no_grad();
            foreach (var (matrix, isOutput) in model.Matrices())
            {
                var constrained = matrix.clone();
                model.Config.Constraint.Apply(constrained, model.VectorDimension(isOutput));
                Assert.True((constrained - matrix).abs().max().item<float>() < 1e-6);
            }

            return losses[^1];
        }

        Assert.Equal(Train(), Eagerly.Run(Train), 2e-3f);
    }

    /// <summary>
    /// Signs of a gradient that all rows share are a matrix of rank one with the spectral norm √(out·in).
    /// </summary>
    [Fact]
    public void Spectral_clipping_bounds_the_signs_largest_singular_value()
    {
        using var scope = NewDisposeScope();
        using var model = Model("gpt+");
        var settings = new OptimizerSettings { Rule = new LionRule(), SpectralClip = 1 };
        using var lion = new Optimizer(model, settings);
        var matrix = model.Blocks[0].Mlp.UpProj.Weight;
        var (rows, columns) = (matrix.shape[0], matrix.shape[1]);
        Tensor change = null!;
        for (var step = 0; step < 10; step++)
        {
            var before = matrix.detach().clone();
            using (no_grad())
                matrix.grad!.fill_(0.3);
            lion.Update(1e-3);
            change = (before - matrix) / 1e-3;
        }

        var limit = Math.Sqrt(rows) + Math.Sqrt(columns);
        Assert.True(Math.Sqrt(rows * columns) > 1.3 * limit);
        Assert.Equal(limit, linalg.svdvals(change)[0].item<float>(), 0.02 * limit);
        Assert.Equal(
            ["exp_avg.lm_head.weight", "singular_vector.lm_head.weight"],
            lion.State().Select(item => item.Key)
                .Where(key => key.EndsWith(".lm_head.weight", StringComparison.Ordinal)));
    }

    private static LanguageModel Model(string architecture)
    {
        var config = ArchitectureRegistry.CreateConfig(architecture, 40, 16, 2, 2, 8);
        var model = LanguageModel.Create(config, ModelContext.Default);
        model.Initialize(1);
        return model;
    }

    private static float Step(LanguageModel model, Optimizer optimizer, double rate)
    {
        using var scope = NewDisposeScope();
        var tokens = arange(16, dtype: ScalarType.Int64).view(2, 8);
        var loss = model.Loss(tokens, tokens + 3);
        BackwardPass.Run(loss);
        optimizer.Update(rate);
        return loss.item<float>();
    }
}
