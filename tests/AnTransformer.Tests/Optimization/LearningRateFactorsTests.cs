using AnTransformer.Architectures;
using AnTransformer.Operators;
using AnTransformer.Optimization;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Optimization;

public sealed class LearningRateFactorsTests
{
    [Fact]
    public void Longer_rows_have_lower_rates()
    {
        var factors = new LearningRateFactors(Embedding: 2, Hidden: 3, Head: 5, Scale: 7, WidthExponent: 0.5);

        Assert.Equal(4, factors.Of(ParameterRole.Embedding, 64), 12);
        Assert.Equal(7, factors.Of(ParameterRole.Scale, 64));
        Assert.Equal(6, factors.Of(ParameterRole.Hidden, 64), 12);
        Assert.Equal(2.5, factors.Of(ParameterRole.Head, 1024), 12);
    }

    [Fact]
    public void Each_kind_of_parameter_moves_at_its_own_rate()
    {
        // Adam's first step moves every number with a gradient by the rate.
        using var scope = NewDisposeScope();
        using var model = LanguageModel.Create(ArchitectureRegistry.CreateConfig("gpt+", 40, 16, 2, 2, 8), ModelContext.Default);
        model.Initialize(1);
        using var adam = new Optimizer(model, new OptimizerSettings { Factors = new LearningRateFactors(2, 3, 5, 7, 1) });
        var before = model.NamedParameters().ToDictionary(item => item.Name, item => item.Parameter.detach().clone());
        var tokens = arange(16, dtype: ScalarType.Int64).view(2, 8);
        BackwardPass.Run(model.Loss(tokens, tokens + 3));

        adam.Update(1e-3);

        float Moved(string name) => (model.NamedParameters().First(item => item.Name == name).Parameter - before[name]).abs().max().item<float>() / 1e-3f;
        Assert.Equal(2 * 16, Moved("model.embed_tokens.weight"), 0.3f);
        Assert.Equal(5 * 16, Moved("lm_head.weight"), 0.8f);
        Assert.Equal(7, Moved("model.norm.weight"), 0.01f);
        Assert.Equal(3 * 16, Moved("model.layers.1.mlp.up_proj.weight"), 0.5f);
        Assert.Equal(3 * 4, Moved("model.layers.1.mlp.down_proj.weight"), 0.2f);
    }
}
