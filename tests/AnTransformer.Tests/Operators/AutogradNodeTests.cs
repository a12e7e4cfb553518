using AnTransformer.Architectures;
using AnTransformer.Kernels;
using AnTransformer.Operators;
using AnTransformer.Optimization;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Operators;

/// <summary>Runs alone: it measures memory that all tests share.</summary>
[CollectionDefinition(nameof(AutogradNodeTests), DisableParallelization = true)]
[Collection(nameof(AutogradNodeTests))]
public sealed class AutogradNodeTests
{
    [Fact]
    public void A_gradient_flows_through_a_node()
    {
        using var scope = NewDisposeScope();
        var x = arange(6, dtype: float32).view(2, 3).requires_grad_();
        BackwardPass.Run((Triple(x * 2) * x).sum());
        Assert.True(x.grad!.allclose(x * 12));
    }

    [Fact]
    public void An_exception_in_a_backward_pass_reaches_the_caller()
    {
        using var scope = NewDisposeScope();
        for (var repetition = 0; repetition < 3; repetition++)
        {
            var x = ones(3).requires_grad_();
            var y = Node(x, _ => throw new NotSupportedException("no gradient today"));
            var error = Assert.Throws<NotSupportedException>(() => BackwardPass.Run(y.sum()));
            Assert.Equal("no gradient today", error.Message);
        }
    }

    [Fact]
    public void Without_our_help_LibTorch_reports_a_failed_backward_pass()
    {
        using var scope = NewDisposeScope();
        var x = ones(3).requires_grad_();
        var y = Node(x, _ => throw new NotSupportedException("no gradient today"));
        Assert.ThrowsAny<Exception>(() => y.sum().backward());
    }

    [Fact]
    public void A_second_backward_pass_is_refused()
    {
        using var scope = NewDisposeScope();
        var x = ones(3).requires_grad_();
        var y = Triple(x).sum();
        BackwardPass.Run(y);
        Assert.Throws<InvalidOperationException>(() => BackwardPass.Run(y));
    }

    [Fact]
    public void Nothing_is_recorded_where_no_gradient_is_wanted()
    {
        using var scope = NewDisposeScope();
        Assert.False(Triple(ones(3)).requires_grad);
        using (no_grad())
            Assert.False(Triple(ones(3).requires_grad_()).requires_grad);
    }

    [Fact]
    public void What_is_saved_is_released_after_the_backward_pass_and_with_a_graph_that_is_dropped()
    {
        using var scope = NewDisposeScope();
        var x = ones(1 << 20).requires_grad_();
        BackwardPass.Run(Triple(Triple(x)).sum());
        x.grad!.zero_();
        var before = BufferPool.ReservedBytes;
        for (var repetition = 0; repetition < 10; repetition++)
        {
            using var inner = NewDisposeScope();
            var y = Triple(Triple(x)).sum();
            if (repetition % 2 == 0)
                BackwardPass.Run(y);
        }

        Assert.InRange(BufferPool.ReservedBytes, 0, before + (8 << 20));
    }

    [Theory]
    [InlineData("gpt+")]
    [InlineData("ngpt")]
    [InlineData("angpt")]
    public void Training_steps_take_no_new_memory(string architecture)
    {
        using var model = LanguageModel.Create(ArchitectureRegistry.CreateConfig(architecture, 300, 64, 2, 2, 64), ModelContext.Default);
        model.Initialize(seed: 1);
        using var adam = new Optimizer(model, new OptimizerSettings());
        var reserved = new List<long>();
        for (var step = 0; step < 30; step++)
        {
            using var scope = NewDisposeScope();
            BackwardPass.Run(model.Loss(randint(300, [8, 64], dtype: int64), randint(300, [8, 64], dtype: int64)));
            adam.Update(1e-3);
            reserved.Add(BufferPool.ReservedBytes);
        }

        // A thread's scratch is taken when it first joins in, which may be late on a busy machine; a step's tensors are
        // megabytes. Less than before is no fault: what earlier tests left to the finalizer may be given back meanwhile.
        Assert.True(reserved[^1] <= reserved[9] + (1 << 20), $"{reserved[^1] - reserved[9]} bytes more than after ten steps");
    }

    private static Tensor Triple(Tensor x) => Node(x, gradient => gradient * 3);

    private static Tensor Node(Tensor x, Func<Tensor, Tensor> backward)
    {
        var y = BufferPool.Empty(x.shape);
        using (no_grad())
            y.copy_(x * 3);
        if (AutogradNode.IsNeeded(x))
            AutogradNode.Record([x], y, [AutogradNode.Save(x)], gradient => [backward(gradient)]);
        return y;
    }
}
