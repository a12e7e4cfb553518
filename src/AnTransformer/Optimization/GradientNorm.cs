using AnTransformer.Kernels;
using AnTransformer.Kernels.Cpu;
using AnTransformer.Kernels.Cuda;
using static TorchSharp.torch;

namespace AnTransformer.Optimization;

/// <summary>√Σ‖g‖² over the gradients of parameters.</summary>
internal static unsafe class GradientNorm
{
    /// <summary>Measures it, in double precision on the host.</summary>
    /// <param name="states">The parameters.</param>
    /// <param name="flat">A buffer of all gradients with zeros between them; null for none.</param>
    /// <param name="merge">
    /// Makes the squares of all processes' blocks of rows of this one's; null where this one has all.
    /// </param>
    public static double Of(
        IReadOnlyList<ParameterState> states, Tensor? flat, Func<double[], double[]>? merge = null)
    {
        using var scope = NewDisposeScope();
        return OnCpu(states, merge) ?? OnCuda(states, flat) ?? OfTensors(states);
    }

    private static double? OnCpu(IReadOnlyList<ParameterState> states, Func<double[], double[]>? merge)
    {
        if (RowBlocks.Of(states) is not { } blocks)
            return null;
        Dispatch.Record(Operation.GradientNorm, DispatchPath.Fused);
        var sums = new double[blocks.Count];
        CpuTeam.Run(blocks.Count, index =>
            sums[index] = CpuKernels.Instance.SumOfSquares(blocks[index].Gradients, blocks[index].Count));
        return Math.Sqrt((merge?.Invoke(sums) ?? sums).Sum());
    }

    private static double? OnCuda(IReadOnlyList<ParameterState> states, Tensor? flat)
    {
        if (CudaStates.KernelsFor(states) is not { } kernels)
            return null;
        Dispatch.Record(Operation.GradientNorm, DispatchPath.Cuda);
        var gradients = Gradients(states);
        if (flat is not null && gradients.TrueForAll(gradient => IsPart(gradient, flat)))
            gradients = [flat];
        var sums = gradients.Select(gradient => CudaOperators.SquareSum(kernels, gradient)).ToList();
        return Math.Sqrt(cat(sums).sum().item<double>());
    }

    private static double OfTensors(IReadOnlyList<ParameterState> states)
    {
        Dispatch.Record(Operation.GradientNorm, DispatchPath.Eager);
        var norms = Gradients(states).Select(gradient => gradient.norm()).ToList();
        return norms.Count == 0 ? 0 : stack(norms).to(ScalarType.Float64).norm().item<double>();
    }

    private static List<Tensor> Gradients(IReadOnlyList<ParameterState> states)
        => states.Select(state => state.Gradient()).OfType<Tensor>().ToList();

    private static bool IsPart(Tensor gradient, Tensor flat)
    {
        var offset = TensorMemory.Address(gradient) - TensorMemory.Address(flat);
        return offset >= 0 && offset + (gradient.numel() * sizeof(float)) <= flat.numel() * sizeof(float);
    }
}
