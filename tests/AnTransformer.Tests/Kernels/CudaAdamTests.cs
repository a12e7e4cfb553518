using AnTransformer.Configuration;
using AnTransformer.Kernels;
using AnTransformer.Kernels.Cuda;
using AnTransformer.Normalization;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Kernels;

/// <summary>The emulated optimizer equals <see cref="AnTransformer.Optimization.Optimizer"/> followed by the constraint.</summary>
[Collection(KernelEmulator.Collection)]
public sealed class CudaAdamTests(KernelEmulator emulator)
{
    [Theory]
    [InlineData(RowConstraint.None, 0.1)]
    [InlineData(RowConstraint.Bounded, 0)]
    [InlineData(RowConstraint.Exact, 0)]
    public void FollowsTheOptimizer(RowConstraint constraint, double decay)
    {
        foreach (var (rows, columns, offset) in new[] { (1L, 1L, 0), (3, 7, 0), (40, 36, 0), (40, 36, 1), (9, 1032, 0), (2, 4099, 0) })
        {
            KernelAssert.Everywhere(
                emulator, offset, (ulong)columns, device => Compare(device, [rows, columns], constraint, decay, maxNorm: null));
        }
    }

    [Fact]
    public void TakesVectors() => KernelAssert.Everywhere(
        emulator, 0, 3, device => Compare(device, [9001], RowConstraint.None, decay: 0, maxNorm: null));

    [Theory]
    [InlineData(0.5)]
    [InlineData(1000)]
    public void ClipsByANormThatIsOnTheDevice(double maxNorm) => KernelAssert.Everywhere(
        emulator, 0, 4, device => Compare(device, [5, 8], RowConstraint.Bounded, decay: 0, maxNorm));

    [Fact]
    public void TheSquareSumCoversEveryElement()
    {
        foreach (var size in new[] { 1L, 3, 4, 1023, 4096, 5001 })
        {
            KernelAssert.Everywhere(emulator, size == 4096 ? 1 : 0, (ulong)size, device =>
            {
                var x = device.Put(device.Random(size));
                var sum = CudaOperators.SquareSum(new CudaKernels(device), x);
                Assert.Equal(x.cpu().to(ScalarType.Float64).square().sum().item<double>(), sum.item<double>(), 1e-12 * size);
                return [sum];
            });
        }
    }

    private static Tensor[] Compare(
        GuardedDevice device, long[] shape, RowConstraint constraint, double decay, double? maxNorm)
    {
        var options = new AnTransformer.Optimization.OptimizerSettings { WeightDecay = decay };
        using var reference = new Parameter(device.Random(shape) / Math.Sqrt(shape[^1]));
        using var adam = new AnTransformer.Optimization.Optimizer([("w", reference)], options);
        var kernels = new CudaKernels(device);
        var parameter = device.Put(reference.detach());
        var (mean, square) = (device.Put(zeros(shape)), device.Put(zeros(shape)));
        for (var step = 1; step <= 3; step++)
        {
            var gradient = device.Random(shape);
            var given = device.Put(gradient);
            reference.grad = gradient.clone();
            var factor = 0.7;
            var squareSum = maxNorm is null ? null : CudaOperators.SquareSum(kernels, given);
            if (maxNorm is { } threshold)
                factor *= Math.Min(1, threshold / ((gradient.norm().item<float>() * factor) + 1e-6));
            adam.Update(0.01, factor);
            constraint.Apply(reference, 1 + shape.Length - 2);
            var constants = new AdamStep(
                0.9f, 0.95f, 0.1f, 0.05f, 1e-8f, (float)(0.01 / (1 - Math.Pow(0.9, step))), (float)(1 / Math.Sqrt(1 - Math.Pow(0.95, step))),
                (float)(1 - (0.01 * decay)), 0.7f);
            CudaOperators.AdamUpdate(
                kernels, parameter, given, mean, square, constants, constraint, clear: step != 2, squareSum, maxNorm ?? 0);
            KernelAssert.Same(step != 2 ? zeros(shape) : gradient, given, "The gradient is not zero, or is where it should not be.");
        }

        var state = adam.State().Select(pair => pair.Value.to(ScalarType.Float64)).ToArray();
        KernelAssert.Close(reference.to(ScalarType.Float64), parameter);
        KernelAssert.Close(state[0], mean);
        KernelAssert.Close(state[1], square);
        return [parameter, mean, square];
    }
}
