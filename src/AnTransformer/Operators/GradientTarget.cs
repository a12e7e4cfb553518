using AnTransformer.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Operators;

/// <summary>
/// Where a backward pass adds the gradient of parameters that lie next to each other: in place, where their gradients
/// do so too (<see cref="ParameterStore.Gradients"/>) and <see cref="BackwardPass.Run"/> has asked for all of them,
/// which saves a pass over it; else in a tensor that the graph receives.
/// </summary>
internal sealed unsafe class GradientTarget
{
    private readonly IReadOnlyList<Parameter> _parameters;
    private readonly Tensor? _fresh;

    /// <summary>Finds or makes the memory.</summary>
    public GradientTarget(IReadOnlyList<Parameter> parameters)
    {
        _parameters = parameters;
        Pointer = InPlace(parameters);
        Dispatch.Record(Operation.ParameterGradient, Pointer != null ? DispatchPath.InPlace : DispatchPath.Fresh);
        if (Pointer != null)
            return;
        _fresh = zeros([parameters.Sum(parameter => parameter.numel())], dtype: ScalarType.Float32)
            .DetachFromDisposeScope();
        Pointer = TensorMemory.Floats(_fresh);
    }

    /// <summary>The first element; results are added here.</summary>
    public float* Pointer { get; }

    /// <summary>What the backward pass returns for each parameter: null where the gradient is in place.</summary>
    public IEnumerable<Tensor?> Results()
    {
        var offset = 0L;
        foreach (var parameter in _parameters)
        {
            using var part = _fresh?.narrow(0, offset, parameter.numel());
            offset += parameter.numel();
            yield return part?.view(parameter.shape);
        }

        _fresh?.Dispose();
    }

    private static float* InPlace(IReadOnlyList<Parameter> parameters)
    {
        float* first = null;
        float* next = null;
        foreach (var parameter in parameters)
        {
            if (!BackwardPass.IsRunning || !parameter.requires_grad)
                return null;
            using var gradient = parameter.grad;
            if (gradient is null || gradient.dtype != ScalarType.Float32 || !gradient.is_contiguous())
                return null;
            var pointer = TensorMemory.Floats(gradient);
            if (first == null)
                first = next = pointer;
            if (pointer != next)
                return null;
            next += parameter.numel();
        }

        return first;
    }
}
