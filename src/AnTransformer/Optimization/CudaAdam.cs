using AnTransformer.Configuration;
using AnTransformer.Kernels;
using AnTransformer.Kernels.Cuda;
using AnTransformer.Normalization;
using static TorchSharp.torch;

namespace AnTransformer.Optimization;

/// <summary>Adam's step on a CUDA device: one pass over each parameter's memory, row constraint and zeroing of the gradient included.</summary>
internal static class CudaAdam
{
    /// <summary>Takes the step; false, and nothing done, where the kernels do not fit.</summary>
    public static bool TryUpdate(IReadOnlyList<ParameterState> states, AdamStep step, AdamStep decayed)
    {
        using var scope = NewDisposeScope();
        if (KernelsFor(states) is not { } kernels)
            return false;
        Dispatch.Record(Operation.Adam, DispatchPath.Cuda);
        foreach (var state in states)
        {
            if (state.Gradient() is not { } gradient)
                continue;
            var rows = state.Dimension == 1 ? state.Constraint : RowConstraint.None;
            CudaOperators.AdamUpdate(
                kernels, state.Parameter, gradient, state.Mean, state.Square, (state.IsDecayed ? decayed : step).At((float)state.Multiple), rows);
            if (rows != state.Constraint)
                state.Constraint.Apply(state.Parameter, state.Dimension);
        }

        return true;
    }

    /// <summary>The norm of all gradients; null where the kernels do not fit.</summary>
    /// <param name="states">The parameters.</param>
    /// <param name="flat">A buffer of all gradients with zeros between them; null for none.</param>
    public static double? TryGradientNorm(IReadOnlyList<ParameterState> states, Tensor? flat)
    {
        using var scope = NewDisposeScope();
        if (KernelsFor(states) is not { } kernels)
            return null;
        Dispatch.Record(Operation.GradientNorm, DispatchPath.Cuda);
        var gradients = states.Select(state => state.Gradient()).OfType<Tensor>().ToList();
        if (flat is not null && gradients.All(gradient => IsPart(gradient, flat)))
            gradients = [flat];
        var sums = gradients.Select(gradient => CudaOperators.SquareSum(kernels, gradient)).ToList();
        return Math.Sqrt(cat(sums).sum().item<double>());
    }

    private static bool IsPart(Tensor gradient, Tensor flat)
    {
        var offset = TensorMemory.Address(gradient) - TensorMemory.Address(flat);
        return offset >= 0 && offset + (gradient.numel() * sizeof(float)) <= flat.numel() * sizeof(float);
    }

    private static CudaKernels? KernelsFor(IReadOnlyList<ParameterState> states)
    {
        CudaKernels? kernels = null;
        foreach (var state in states)
        {
            if (state.Gradient() is not { } gradient)
                continue;
            kernels ??= FusedKernels.ForCuda(state.Parameter);
            foreach (var tensor in new[] { state.Parameter, gradient, state.Mean, state.Square })
            {
                if (kernels is null || !kernels.Launcher.Holds(tensor) || tensor.dtype != ScalarType.Float32
                    || !tensor.is_contiguous() || tensor.numel() == 0)
                {
                    return null;
                }
            }
        }

        return kernels;
    }
}
