using AnTransformer.Architectures;
using AnTransformer.Operators;
using AnTransformer.Optimization;
using AnTransformer.Tests.Kernels;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Optimization;

public sealed class MuonTests
{
    [Theory]
    [InlineData(48, 48)]
    [InlineData(20, 80)]
    [InlineData(96, 24)]
    [InlineData(1, 7)]
    public void Orthogonalization_brings_singular_values_near_one_and_keeps_directions(long rows, long columns)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3, CPU);
        var matrix = randn([rows, columns], generator: generator) * 7;
        var (u, _, vh) = linalg.svd(matrix, fullMatrices: false);

        Orthogonalization.Apply(matrix);

        var inBasis = u.t().mm(matrix).mm(vh.t());
        var values = inBasis.diagonal();
        Assert.InRange(values.min().item<float>(), 0.5f, 1.3f);
        Assert.InRange(values.max().item<float>(), 0.5f, 1.3f);
        Assert.True((inBasis - diag(values)).abs().max().item<float>() < 1e-3);
    }

    [Fact]
    public void A_zero_matrix_stays_zero()
    {
        using var matrix = zeros(4, 6);

        Orthogonalization.Apply(matrix);

        Assert.Equal(0, matrix.abs().max().item<float>());
    }

    [Theory]
    [InlineData(20, 80)]
    [InlineData(80, 20)]
    public void Kernels_and_tensor_operators_orthogonalize_alike(long rows, long columns)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3, CPU);
        var fused = randn([rows, columns], generator: generator);
        var plain = fused.to(ScalarType.Float64);

        Orthogonalization.Apply(fused);
        Orthogonalization.Apply(plain);

        Assert.True((fused - plain.to(ScalarType.Float32)).abs().max().item<float>() < 1e-4);
    }

    [Theory]
    [InlineData("gpt+")]
    [InlineData("ngpt")]
    [InlineData("angpt")]
    public void Rows_of_blocks_change_by_the_rate_and_all_else_as_by_adam(string architecture)
    {
        const double Rate = 0.01;
        using var scope = NewDisposeScope();
        var config = ArchitectureRegistry.CreateConfig(architecture, 40, 16, 2, 2, 8);
        using var byMuon = LanguageModel.Create(config, ModelContext.Default);
        using var byAdam = LanguageModel.Create(config, ModelContext.Default);
        byMuon.Initialize(1);
        byAdam.Initialize(1);
        using var muon = new Optimizer(byMuon, new OptimizerSettings { Rule = new MuonRule(LearningRateFactor: 5) });
        using var adam = new Optimizer(byAdam, new OptimizerSettings());
        var before = byMuon.NamedParameters().ToDictionary(item => item.Name, item => item.Parameter.detach().clone());

        Step(byMuon, muon, Rate);
        Step(byAdam, adam, Rate);

        var reference = byAdam.NamedParameters().ToDictionary(item => item.Name, item => item.Parameter);
        foreach (var (name, parameter) in byMuon.NamedParameters())
        {
            if (byMuon.RoleOf(parameter) != ParameterRole.Hidden)
            {
                Assert.True(parameter.equal(reference[name]).all().item<bool>(), name);
                continue;
            }

            // The constraint takes a part of the step back, never more than half of it along a row of norm 1.
            var change = (parameter - before[name]).norm(1).square().mean().sqrt().item<float>() / (5 * Rate);
            Assert.InRange(change, 0.4, 1.3);
        }

        Assert.Equal(0, byMuon.Store.Gradients().abs().max().item<float>());
        Assert.DoesNotContain("exp_avg_sq.model.layers.0.mlp.up_proj.weight", muon.State().Select(item => item.Key));
        Assert.Contains("exp_avg_sq.lm_head.weight", muon.State().Select(item => item.Key));
    }

    [Fact]
    public void A_model_trained_by_muon_on_tensor_operators_learns_the_same()
    {
        static float Train()
        {
            var config = ArchitectureRegistry.CreateConfig("angpt", 40, 16, 2, 2, 8);
            using var model = LanguageModel.Create(config, ModelContext.Default);
            model.Initialize(1);
            using var muon = new Optimizer(model, new OptimizerSettings { Rule = new MuonRule(5) });
            var loss = 0f;
            for (var step = 0; step < 20; step++)
                loss = Step(model, muon, 0.01);
            return loss;
        }

        Assert.Equal(Train(), Eagerly.Run(Train), 1e-3f);
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
