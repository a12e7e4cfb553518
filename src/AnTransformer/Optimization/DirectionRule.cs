using AnTransformer.Kernels.Cuda;
using static TorchSharp.torch;

namespace AnTransformer.Optimization;

/// <summary>
/// A rule of a program's own: w ← (1 − η·decay)·w − η·u, with u made by TorchSharp's operators from a gradient and what
/// is kept of earlier ones. It runs on every device; decay, gradient and spectral clipping, rates by kind of parameter,
/// the constraint and checkpoints are the <see cref="Optimizer"/>'s. Give it as <see cref="OptimizerSettings.Rule"/>,
/// or a name for configurations by <see cref="UpdateRuleRegistry.Register"/>.
/// </summary>
public abstract record DirectionRule : ElementwiseRule
{
    /// <summary>
    /// What is kept for each parameter: tensors shaped as it, of zeros at first; the names are those in checkpoints,
    /// before a dot and the parameter's name.
    /// </summary>
    protected abstract IReadOnlyList<string> StateNames { get; }

    internal sealed override IReadOnlyList<StateTensor> State => [.. StateNames.Select(name => new StateTensor(name))];

    internal sealed override bool HasKernels => false;

    /// <summary>Takes a gradient in, and gives the direction u of the step.</summary>
    /// <param name="gradient">
    /// Of one parameter, clipped already; in the parameter's shape, and not to be changed.
    /// </param>
    /// <param name="state">The parameter's state in the order of <see cref="StateNames"/>; changed in place.</param>
    /// <param name="step">1 for the first step.</param>
    /// <returns>u, in the parameter's shape; a tensor of its own.</returns>
    protected abstract Tensor Direction(Tensor gradient, IReadOnlyList<Tensor> state, long step);

    internal sealed override double StepSize(OptimizerStep step) => step.LearningRate;

    internal sealed override Tensor Direction(ParameterState state, Tensor gradient, OptimizerStep step)
        => Direction(gradient, state.Tensors, step.Number);

    internal sealed override void UpdateRows(in RowBlock block, OptimizerStep step) => throw NoKernels();

    internal sealed override void DirectionRows(in RowBlock block, OptimizerStep step) => throw NoKernels();

    internal sealed override void UpdateOnCuda(
        CudaKernels kernels, ParameterState state, Tensor gradient, OptimizerStep step)
        => throw NoKernels();

    private InvalidOperationException NoKernels() => new($"The rule {Name} has no kernels.");
}
