using AnTransformer.Architectures;
using AnTransformer.Distributed;
using AnTransformer.Operators;
using AnTransformer.Optimization;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Distributed;

public sealed class OuterOptimizerTests
{
    /// <summary>δ = θ₀ − θ, m ← μm + δ, θ = θ₀ − η(δ + μm), number by number.</summary>
    [Fact]
    public void One_process_takes_nesterovs_step_along_what_it_has_changed()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = Model("gpt");
        using var optimizer = new Optimizer(model);
        using var outer = new OuterOptimizer(model, optimizer, ProcessGroup.Single, learningRate: 0.7, momentum: 0.9);
        outer.Begin();
        var start = Weights(model);
        var momentum = new double[start.Length];
        for (var step = 1; step <= 3; step++)
        {
            model.Store.Values().add_(0.01 * step);
            outer.Update();
            var found = Weights(model);
            for (var index = 0; index < start.Length; index++)
            {
                var change = -0.01 * step;
                momentum[index] = (0.9 * momentum[index]) + change;
                Assert.Equal(start[index] - (0.7 * (change + (0.9 * momentum[index]))), found[index], 1e-5);
            }

            start = found;
        }

        Assert.All(outer.State(), item => Assert.StartsWith("outer_momentum.", item.Key, StringComparison.Ordinal));
        Assert.Equal(momentum[0], outer.State()[0].Value.flatten()[0].item<float>(), 1e-5);
    }

    [Theory]
    [InlineData("angpt")]
    [InlineData("ngpt")]
    [InlineData("gpt+")]
    public void Processes_have_one_state_afterwards_and_its_rows_are_where_they_belong(string architecture)
    {
        var weights = new float[3][];
        var moments = new float[3][];
        ThreadTransport.Run(3, group =>
        {
            using var scope = NewDisposeScope();
            using var model = Model(architecture);
            using var optimizer = new Optimizer(model);
            using var outer = new OuterOptimizer(model, optimizer, group, learningRate: 4);
            outer.Begin();
            var step = new TrainingStep(model, optimizer);
            var random = new Random(group.Rank);
            for (var number = 0; number < 4; number++)
            {
                using var inner = NewDisposeScope();
                var ids = tensor(Enumerable.Range(0, 2 * 9).Select(_ => (long)random.Next(43)).ToArray()).view(2, 9);
                step.Run(ids[.., ..8].contiguous(), ids[.., 1..].contiguous(), 1e-2);
            }

            outer.Update();
            (weights[group.Rank], moments[group.Rank]) = (Weights(model), Floats(cat(
                [.. optimizer.State().Select(item => item.Value.flatten())])));
            using var noGrad = no_grad();
            foreach (var item in model.TrainedParameters())
            {
                using var norms = item.Parameter.dim() > 1 ? item.Parameter.norm(item.VectorDimension) : zeros(1);
                if (item.Constraint == AnTransformer.Configuration.RowConstraint.None)
                    continue;
                Assert.True(norms.max().item<float>() <= 1 + 1e-5f, item.Name);
            }
        });
        Assert.All(weights, values => Assert.Equal(weights[0], values));
        Assert.All(moments, values => Assert.Equal(moments[0], values));
    }

    [Fact]
    public void With_a_rate_of_one_and_no_momentum_it_is_the_mean_of_all_weights()
    {
        var before = new float[2][];
        var after = new float[2][];
        ThreadTransport.Run(2, group =>
        {
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            using var model = Model("gpt");
            using var optimizer = new Optimizer(model);
            using var outer = new OuterOptimizer(model, optimizer, group, learningRate: 1, momentum: 0);
            outer.Begin();
            manual_seed(group.Rank);
            model.Store.Values().add_(0.1 * randn(model.Store.Count));
            before[group.Rank] = Weights(model);
            outer.Update();
            after[group.Rank] = Weights(model);
        });
        Assert.All(
            before[0].Zip(before[1], after[0]), item => Assert.Equal((item.First + item.Second) / 2, item.Third, 1e-5f));
    }

    private static LanguageModel Model(string architecture)
    {
        var model = LanguageModel.Create(
            ArchitectureRegistry.CreateConfig(architecture, 43, 20, 2, 2, 8, 37), ModelContext.Default);
        model.Initialize(seed: 5);
        return model;
    }

    private static float[] Weights(LanguageModel model) => Floats(model.Store.Values());

    private static float[] Floats(Tensor tensor) => tensor.contiguous().data<float>().ToArray();
}
