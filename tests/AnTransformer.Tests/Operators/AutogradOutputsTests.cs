using AnTransformer.Operators;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Operators;

/// <summary>Nodes with several outputs, and backward passes on another thread than the forward pass, as those of CUDA tensors are.</summary>
[Collection(ProcessWideCollection.Name)]     // the cause of a failed backward pass is kept for the process
public sealed class AutogradOutputsTests
{
    [Fact]
    public void Every_output_has_its_gradient()
    {
        using var scope = NewDisposeScope();
        var x = arange(3, dtype: float32).requires_grad_();
        var (twice, thrice) = TwiceAndThrice(x);
        BackwardPass.Run(((twice * x) + thrice).sum());
        Assert.True(x.grad!.allclose((x * 4) + 3));
    }

    [Theory]
    [InlineData(true, 2)]
    [InlineData(false, 3)]
    public void An_output_that_nothing_depends_on_has_no_gradient(bool first, float expected)
    {
        using var scope = NewDisposeScope();
        var x = ones(3).requires_grad_();
        var (twice, thrice) = TwiceAndThrice(x);
        BackwardPass.Run((first ? twice : thrice).sum());
        Assert.Equal([expected, expected, expected], x.grad!.data<float>().ToArray());
    }

    [Fact]
    public void A_gradient_in_any_layout_arrives_as_it_is()
    {
        using var scope = NewDisposeScope();
        var x = ones(2, 3).requires_grad_();
        var output = x.detach().clone();
        long[]? strides = null;
        AutogradNode.Record([x], [output], [], gradients =>
        {
            strides = gradients[0]!.stride();
            return [gradients[0]];
        });
        BackwardPass.Run((output.t() * arange(6, dtype: float32).view(3, 2)).sum());
        Assert.Equal([1, 2], strides!);
        Assert.True(x.grad!.allclose(arange(6, dtype: float32).view(3, 2).t()));
    }

    [Fact]
    public void A_backward_pass_may_run_on_another_thread()
    {
        using var scope = NewDisposeScope();
        var x = ones(3).requires_grad_();
        var (twice, thrice) = TwiceAndThrice(x);
        var loss = (TwiceAndThrice(twice).Thrice + thrice).sum();
        OnAnotherThread(() => BackwardPass.Run(loss));
        Assert.Equal([9, 9, 9], x.grad!.data<float>().ToArray());
    }

    [Fact]
    public void An_exception_on_another_thread_reaches_the_caller()
    {
        using var scope = NewDisposeScope();
        var x = ones(3).requires_grad_();
        var (first, second) = (x.detach().clone(), x.detach().clone());
        AutogradNode.Record([x], [first, second], [], _ => throw new NotSupportedException("no gradient today"));
        var loss = (first + second).sum();
        OnAnotherThread(() => Assert.Throws<NotSupportedException>(() => BackwardPass.Run(loss)));
    }

    [Fact]
    public void What_a_backward_pass_makes_besides_its_results_is_disposed()
    {
        using var scope = NewDisposeScope();
        var x = ones(3).requires_grad_();
        Tensor? temporary = null;
        Tensor? saved = null;
        var output = x.detach().clone();
        saved = AutogradNode.Save(x);
        AutogradNode.Record([x], [output], [saved], gradients =>
        {
            temporary = gradients[0]! * saved;
            return [temporary + 1];
        });
        BackwardPass.Run(output.sum());
        Assert.True(temporary!.IsInvalid);
        Assert.True(saved.IsInvalid);
        Assert.Equal([2, 2, 2], x.grad!.data<float>().ToArray());
    }

    private static (Tensor Twice, Tensor Thrice) TwiceAndThrice(Tensor x)
    {
        var (twice, thrice) = (x.detach() * 2, x.detach() * 3);
        AutogradNode.Record([x], [twice, thrice], [], gradients =>
        {
            var parts = new[] { gradients[0]?.mul(2), gradients[1]?.mul(3) }.OfType<Tensor>().ToArray();
            return [parts.Length == 1 ? parts[0] : parts[0] + parts[1]];
        });
        return (twice, thrice);
    }

    private static void OnAnotherThread(Action action)
    {
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                action();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        Assert.Null(failure);
    }
}
