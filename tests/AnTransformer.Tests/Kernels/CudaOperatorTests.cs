using AnTransformer.Kernels.Cuda;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Kernels;

/// <summary>
/// What the CUDA kernels compute, emulated on the CPU and on a GPU if there is one, equals fp64 formulas and their gradients by
/// autograd: for fp32 and bf16, aligned and unaligned memory, sizes that fill vectors and blocks and sizes that do not, and
/// either order of threads, which must not change a bit.
/// </summary>
[Collection(KernelEmulator.Collection)]
public sealed class CudaOperatorTests(KernelEmulator emulator)
{
    private static readonly ScalarType[] Dtypes = [ScalarType.Float32, ScalarType.BFloat16];

    // (rows, columns, offset): one token, one channel, whole vectors, more than one block of columns, more rows than blocks.
    private static readonly (long Rows, long Columns, int Offset)[] Sizes =
        [(1, 1, 0), (3, 7, 0), (5, 64, 0), (5, 64, 1), (40, 36, 0), (2, 1030, 0), (9, 1032, 0)];

    [Fact]
    public void Interpolation() => ForEach(Sizes, (device, dtype, size) =>
    {
        var (h, x) = (device.Random(size.Rows, size.Columns), device.Random(size.Rows, size.Columns).to(dtype));
        var (keep, update) = (device.Random(size.Columns), device.Random(size.Columns));
        var (g, cast) = (device.Random(size.Rows, size.Columns), device.Random(size.Rows, size.Columns).to(dtype));
        var kernels = new CudaKernels(device);
        var inputs = new[] { h, x, keep, update }.Select(device.Put).ToArray();
        var forward = CudaOperators.InterpolateForward(kernels, inputs[0], inputs[1], inputs[2], inputs[3], withCast: true);
        var backward = CudaOperators.InterpolateBackward(
            kernels, device.Put(g), device.Put(cast), inputs[0], inputs[1], inputs[2], inputs[3]);

        var leaves = Leaves(h, x, keep, update);
        var expected = (leaves[2] * leaves[0]) + (leaves[3] * leaves[1]);
        (expected * (Wide(g) + Wide(cast))).sum().backward();
        Close(expected, forward.Stream);
        Close(expected, forward.Cast!);
        CloseGradients(leaves, backward.H, backward.X, backward.Keep, backward.Update);
        return [forward.Stream, forward.Cast!, backward.H, backward.X, backward.Keep, backward.Update];
    });

    [Fact]
    public void NormalizedUpdate() => ForEach([.. Sizes, (2, 10_300, 0)], (device, dtype, size) =>
    {
        if (size.Columns == 1)
            return [];      // a unit vector of one channel has no gradient, and what is left is rounding
        var (h, o) = (device.Random(size.Rows, size.Columns), device.Random(size.Rows, size.Columns).to(dtype));
        var alpha = device.Random(size.Columns);       // of either sign
        var g = device.Random(size.Rows, size.Columns);
        var kernels = new CudaKernels(device);
        var inputs = new[] { h, o, alpha }.Select(device.Put).ToArray();
        var forward = CudaOperators.NormalizedUpdateForward(kernels, inputs[0], inputs[1], inputs[2], withCast: true);
        var backward = CudaOperators.NormalizedUpdateBackward(
            kernels, device.Put(g), null, inputs[0], inputs[1], inputs[2], forward.OReciprocal, forward.UReciprocal);

        var leaves = Leaves(h, o, alpha);
        var expected = L2(leaves[0] + (leaves[2].abs() * (L2(leaves[1]) - leaves[0])));
        (expected * Wide(g)).sum().backward();
        Close(expected, forward.Stream);
        Close(expected, forward.Cast!);
        CloseGradients(leaves, backward.H, backward.O, backward.Alpha);
        return [forward.Stream, forward.Cast!, backward.H, backward.O, backward.Alpha];
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void RmsNorm(bool withUpdate) => ForEach([.. Sizes, (2, 10_300, 0)], (device, dtype, size) =>
    {
        var (h, x) = (device.Random(size.Rows, size.Columns), device.Random(size.Rows, size.Columns).to(dtype));
        var gain = device.Random(size.Columns);
        var (g, sumGradient) = (device.Random(size.Rows, size.Columns).to(dtype), device.Random(size.Rows, size.Columns));
        var kernels = new CudaKernels(device);
        var inputs = new[] { h, x, gain }.Select(device.Put).ToArray();
        var forward = CudaOperators.RmsNormForward(kernels, inputs[0], withUpdate ? inputs[1] : null, inputs[2], 0.25, dtype);
        var backward = CudaOperators.RmsNormBackward(
            kernels, device.Put(g), withUpdate ? device.Put(sumGradient) : null, forward.Sum, inputs[2], forward.Reciprocal, withUpdate);

        var leaves = Leaves(h, x, gain);
        var sum = withUpdate ? leaves[0] + leaves[1] : leaves[0];
        var expected = leaves[2] * sum * (sum.square().mean([-1], keepdim: true) + 0.25).rsqrt();
        var loss = (expected * Wide(g)).sum();
        (withUpdate ? loss + (sum * Wide(sumGradient)).sum() : loss).backward();
        Close(sum, forward.Sum);
        Close(expected, forward.Normalized);
        Close(leaves[0].grad!, backward.H);
        Close(leaves[2].grad!, backward.Gain);
        if (withUpdate)
            Close(leaves[1].grad!, backward.X!);
        return [forward.Normalized, backward.H, backward.Gain, .. withUpdate ? new[] { backward.X! } : []];
    });

    [Fact]
    public void GatedActivation() => ForEach(Sizes, (device, dtype, size) =>
    {
        var (gateUp, g) = (device.Random(size.Rows, 2 * size.Columns).to(dtype), device.Random(size.Rows, size.Columns).to(dtype));
        var kernels = new CudaKernels(device);
        var input = device.Put(gateUp);
        var forward = CudaOperators.GatedForward(kernels, input, 3.7, 2.5);
        var backward = CudaOperators.GatedBackward(kernels, device.Put(g), input, 3.7, 2.5);

        var leaves = Leaves(gateUp);
        var halves = leaves[0].chunk(2, -1);
        var expected = 3.7 * halves[1] * nn.functional.silu(2.5 * halves[0]);
        (expected * Wide(g)).sum().backward();
        Close(expected, forward);
        CloseGradients(leaves, backward);
        return [forward, backward];
    });

    [Fact]
    public void CrossEntropy() => ForEach([.. Sizes, (3, 4099, 0), (40, 257, 0)], (device, dtype, size) =>
    {
        var logits = device.Random(size.Rows, size.Columns).to(dtype) * 5;
        var targets = (device.Random(size.Rows) * 1e4).to(ScalarType.Int64).remainder(size.Columns);
        if (size.Rows > 1)
            targets[1] = -100;
        if (size.Columns > 10)
            logits[0, (targets[0].item<long>() + 1) % size.Columns] = double.NegativeInfinity;
        var kernels = new CudaKernels(device);
        var (inPlace, onlyRead) = (device.Put(logits), device.Put(logits));
        var loss = CudaOperators.CrossEntropy(kernels, inPlace, device.Put(targets), 0.25);
        var sameLoss = CudaOperators.CrossEntropy(kernels, onlyRead, device.Put(targets), 0.25, withGradient: false);

        var leaves = Leaves(logits);
        var expected = nn.functional.cross_entropy(leaves[0], targets, reduction: nn.Reduction.None);
        (expected.sum() * 0.25).backward();
        Close(expected, loss);
        KernelAssert.Same(loss, sameLoss, "The loss depends on whether a gradient is wanted.");
        KernelAssert.Same(logits, onlyRead, "The logits are overwritten.");
        CloseGradients(leaves, inPlace);
        return [loss, inPlace];
    });

    [Fact]
    public void AnUnknownTargetGivesNaN() => ForEach([(2, 9, 0)], (device, dtype, size) =>
    {
        var logits = device.Put(device.Random(size.Rows, size.Columns).to(dtype));
        var loss = CudaOperators.CrossEntropy(new CudaKernels(device), logits, device.Put(tensor(new[] { 9L, 3L })), 1);
        Assert.Equal([true, false], loss.cpu().isnan().data<bool>().ToArray());
        Assert.Equal([true, false], logits.cpu().isnan().any(1).data<bool>().ToArray());
        return [];
    });

    private static Tensor L2(Tensor x) => x / x.norm(-1, keepdim: true, p: 2);

    private static Tensor Wide(Tensor x) => x.to(ScalarType.Float64);

    private static Tensor[] Leaves(params Tensor[] inputs) => inputs.Select(x => Wide(x).detach().requires_grad_(true)).ToArray();

    private static void CloseGradients(Tensor[] leaves, params Tensor[] gradients)
    {
        foreach (var (leaf, gradient) in leaves.Zip(gradients))
            Close(leaf.grad!, gradient);
    }

    private static void Close(Tensor expected, Tensor actual) => KernelAssert.Close(expected, actual);

    private void ForEach(
        (long Rows, long Columns, int Offset)[] sizes,
        Func<GuardedDevice, ScalarType, (long Rows, long Columns), Tensor[]> run)
    {
        foreach (var (rows, columns, offset) in sizes)
        {
            foreach (var dtype in Dtypes)
                KernelAssert.Everywhere(emulator, offset, (ulong)columns, device => run(device, dtype, (rows, columns)));
        }
    }
}
