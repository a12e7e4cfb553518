using AnTransformer.Architectures;
using AnTransformer.Operators;
using AnTransformer.Optimization;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Optimization;

public sealed class TrainingStepTests : IDisposable
{
    private const double Rate = 1e-3;
    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();
    private readonly Tensor _tokens = arange(32, dtype: ScalarType.Int64).view(4, 8);

    [Theory]
    [InlineData("gpt+")]
    [InlineData("angpt")]
    public void A_step_is_loss_gradients_clipping_and_update(string architecture)
    {
        using var model = Model(architecture);
        using var byHand = Model(architecture);
        using var optimizer = new Optimizer(model);
        using var optimizerByHand = new Optimizer(byHand);
        var training = new TrainingStep(model, optimizer);
        for (var step = 0; step < 3; step++)
        {
            var result = training.Run(_tokens, _tokens + 3, Rate);
            var loss = byHand.Loss(_tokens, _tokens + 3);
            BackwardPass.Run(loss);
            Assert.Equal(new StepResult(loss.item<float>(), optimizerByHand.GradientNorm(), null), result);
            optimizerByHand.Update(Rate);
        }

        AssertSame(byHand, model);
    }

    [Fact]
    public void Micro_batches_make_the_step_of_the_whole_batch()
    {
        using var model = Model("gpt+");
        using var whole = Model("gpt+");
        using var optimizer = new Optimizer(model);
        using var optimizerOfWhole = new Optimizer(whole);
        var training = new TrainingStep(model, optimizer, gradientAccumulation: 2);
        var shares = new[] { _tokens[..2], _tokens[2..] }.Sum(part => training.ForwardBackward(part, part + 3));
        var result = training.Update(learningRate: 0);
        var expected = new TrainingStep(whole, optimizerOfWhole).Run(_tokens, _tokens + 3, learningRate: 0);
        Assert.Equal(shares, result.Loss);
        Assert.Equal(expected.Loss, result.Loss, 1e-6);
        Assert.Equal(expected.GradientNorm, result.GradientNorm, 1e-5);
        training.ForwardBackward(_tokens, _tokens);
        Assert.Equal(
            "A step is made of 2 micro-batches, and 1 have had their forward and backward pass.",
            Assert.Throws<InvalidOperationException>(() => training.Update(Rate)).Message);
    }

    [Fact]
    public void A_step_that_is_lost_is_not_taken()
    {
        using var model = Model("angpt");
        using var poisoned = Model("angpt");
        using var optimizer = new Optimizer(model);
        var matrix = model.Blocks[1].Mlp.UpProj.Weight;
        foreach (var each in new[] { model, poisoned })
        {
            using var noGrad = no_grad();
            each.Blocks[1].Mlp.UpProj.Weight[0, 0] = float.NaN;
        }

        var result = new TrainingStep(model, optimizer).Run(_tokens, _tokens + 3, Rate);
        Assert.Equal("the loss is NaN", result.Divergence);
        Assert.Equal(0, optimizer.Step);
        AssertSame(poisoned, model);
        Assert.Equal(0, matrix.grad!.count_nonzero().item<long>());
    }

    public void Dispose() => _scope.Dispose();

    private static void AssertSame(LanguageModel expected, LanguageModel actual)
        => Assert.All(expected.NamedParameters().Zip(actual.NamedParameters()), pair => Assert.Equal(
            pair.First.Parameter.detach().data<float>().ToArray(),
            pair.Second.Parameter.detach().data<float>().ToArray()));

    private static LanguageModel Model(string architecture)
    {
        var config = ArchitectureRegistry.CreateConfig(architecture, 40, 16, 2, 2, 8);
        var model = LanguageModel.Create(config, ModelContext.Default);
        model.Initialize(1);
        return model;
    }
}
