using AnTransformer.Architectures;
using AnTransformer.Operators;
using AnTransformer.Optimization;
using AnTransformer.Tests.Operators;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Optimization;

/// <summary>Update rules that a program defines itself.</summary>
public sealed class DirectionRuleTests
{
    [Fact]
    public void Stochastic_gradient_descent_with_momentum_steps_as_its_formula_says()
    {
        using var scope = NewDisposeScope();
        var weight = new TorchSharp.Modules.Parameter(tensor(new[] { 1f, -2f, 3f, 4f }).view(2, 2));
        using var optimizer = new Optimizer(
            [("weight", weight)], new OptimizerSettings { Rule = new MomentumRule(0.5), WeightDecay = 0.1 });
        Assert.Equal(["momentum_buffer.weight"], optimizer.State().Select(entry => entry.Key));
        double w = 1, m = 0;
        for (var step = 0; step < 3; step++)
        {
            (weight * weight).sum().backward();
            optimizer.Update(learningRate: 0.1);
            m = (0.5 * m) + (2 * w);
            w = (w * (1 - (0.1 * 0.1))) - (0.1 * m);
            Assert.Equal(w, weight[0, 0].item<float>(), 1e-6);
        }
    }

    [Fact]
    public void It_trains_a_model_under_all_that_is_the_optimizers()
    {
        using var scope = NewDisposeScope();
        using var model = LanguageModel.Create(
            ArchitectureRegistry.CreateConfig("angpt", 43, 48, 2, 2, 16, 100), ModelContext.Default);
        model.Initialize(seed: 5);
        using var optimizer = new Optimizer(model, OptimizerSettings.For(model.Config, new MomentumRule(0.9)) with { SpectralClip = 1 });
        var (tokens, targets) = FusedModelTests.Batch(2, 16);
        var losses = new List<float>();
        for (var step = 0; step < 8; step++)
        {
            var loss = model.Loss(tokens, targets);
            losses.Add(loss.item<float>());
            BackwardPass.Run(loss);
            optimizer.Update(learningRate: 0.05);
        }

        Assert.True(losses[^1] < losses[0], string.Join(", ", losses));
        Assert.Contains(optimizer.State(), entry => entry.Key.StartsWith("singular_vector.", StringComparison.Ordinal));
        var norms = model.Blocks[0].SelfAttention.QProj.Weight.norm(1);
        Assert.InRange(norms.max().item<float>(), 0.1f, 1.0001f);       // rows stay in the unit ball
    }

    [Fact]
    public void What_a_rule_keeps_decides_what_its_state_takes()
    {
        var config = ArchitectureRegistry.CreateConfig("angpt", 43, 48, 2, 2, 16, 100);
        var bytes = 4.0 * ModelCost.Parameters(config);
        Assert.Equal(2 * bytes, new AdamWRule().StateBytes(config));
        Assert.Equal(bytes, new LionRule().StateBytes(config));
        Assert.Equal(bytes, new MomentumRule(0.9).StateBytes(config));
        Assert.InRange(new MuonRule().StateBytes(config), bytes, 2 * bytes);
        using var model = LanguageModel.Create(config, ModelContext.Default);
        foreach (var rule in UpdateRuleRegistry.All)
        {
            using var optimizer = new Optimizer(model, new OptimizerSettings { Rule = rule });
            Assert.Equal(4.0 * optimizer.State().Sum(entry => entry.Value.numel()), rule.StateBytes(config));
        }
    }

    /// <summary>PyTorch's SGD with momentum: m ← μm + g, u = m.</summary>
    internal sealed record MomentumRule(double Momentum) : DirectionRule
    {
        public override string Name => "momentum";

        public override RuleSettings Settings => new(Beta1: Momentum);

        protected override IReadOnlyList<string> StateNames => ["momentum_buffer"];

        public override MomentumRule With(RuleSettings settings) => new(settings.Beta1 ?? Momentum);

        protected override Tensor Direction(Tensor gradient, IReadOnlyList<Tensor> state, long step)
            => state[0].mul_(Momentum).add_(gradient).clone();
    }
}
