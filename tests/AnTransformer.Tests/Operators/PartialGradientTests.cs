using AnTransformer.Operators;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Operators;

/// <summary>Runs alone: gradients of some parameters must not be asked for while another thread's pass wants those of all.</summary>
[Collection(nameof(AutogradNodeTests))]
public sealed class PartialGradientTests
{
    [Theory]
    [MemberData(nameof(FusedModelTests.Architectures), MemberType = typeof(FusedModelTests))]
    public void Gradients_of_a_few_tensors_leave_the_others_alone(string architecture)
    {
        using var scope = NewDisposeScope();
        using var model = FusedModelTests.Create(architecture, 20, 37, 9, queryKeyNorm: true);
        using var flat = model.Store.Gradients();
        var (tokens, targets) = FusedModelTests.Batch(3, 9);
        var weights = new List<Tensor> { model.Head.Weight, model.Blocks[0].SelfAttention.KProj.Weight };
        var some = autograd.grad([model.Loss(tokens, targets)], weights);
        Assert.Equal(0, flat.abs().sum().item<float>());
        model.Loss(tokens, targets).backward();
        FusedModelTests.AssertNear(weights[0].grad!, some[0], 1e-6, "head");
        FusedModelTests.AssertNear(weights[1].grad!, some[1], 1e-6, "keys");
        var plain = flat.clone();
        flat.zero_();
        BackwardPass.Run(model.Loss(tokens, targets));
        FusedModelTests.AssertNear(plain, flat, 1e-6, "both ways");
    }
}
