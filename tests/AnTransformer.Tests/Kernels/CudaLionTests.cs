using AnTransformer.Configuration;
using AnTransformer.Kernels;
using AnTransformer.Kernels.Cuda;
using AnTransformer.Normalization;
using AnTransformer.Optimization;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Optimizer = AnTransformer.Optimization.Optimizer;

namespace AnTransformer.Tests.Kernels;

/// <summary>The emulated kernel equals the optimizer on the CPU followed by the constraint.</summary>
[Collection(KernelEmulator.Collection)]
public sealed class CudaLionTests(KernelEmulator emulator)
{
    [Theory]
    [InlineData(RowConstraint.None, 0.1)]
    [InlineData(RowConstraint.Bounded, 0)]
    [InlineData(RowConstraint.Exact, 0)]
    public void Follows_the_optimizer(RowConstraint constraint, double decay)
    {
        (long, long, int)[] cases = [(1, 1, 0), (3, 7, 0), (40, 36, 0), (40, 36, 1), (9, 1032, 0)];
        foreach (var (rows, columns, offset) in cases)
        {
            KernelAssert.Everywhere(
                emulator, offset, (ulong)columns, device => Compare(device, [rows, columns], constraint, decay));
        }
    }

    private static Tensor[] Compare(GuardedDevice device, long[] shape, RowConstraint constraint, double decay)
    {
        using var reference = new Parameter(device.Random(shape) / Math.Sqrt(shape[^1]));
        var settings = new OptimizerSettings { Rule = new LionRule(), WeightDecay = decay };
        using var lion = new Optimizer([("w", reference)], settings);
        var kernels = new CudaKernels(device);
        var (parameter, momentum) = (device.Put(reference.detach()), device.Put(zeros(shape)));
        for (var step = 1; step <= 3; step++)
        {
            var gradient = device.Random(shape);
            var given = device.Put(gradient);
            reference.grad = gradient.clone();
            lion.Update(0.01, 0.7);
            constraint.Apply(reference, 1);
            var constants = new LionStep(0.9f, 0.99f, 0.1f, 0.01f, 0.01f, (float)(1 - (0.01 * decay)), 0.7f);
            CudaOperators.LionUpdate(kernels, parameter, given, momentum, constants, constraint);
            KernelAssert.Same(zeros(shape), given, "The gradient is not zero.");
        }

        KernelAssert.Close(reference.to(ScalarType.Float64), parameter);
        KernelAssert.Close(lion.State().Single().Value.to(ScalarType.Float64), momentum);
        return [parameter, momentum];
    }
}
