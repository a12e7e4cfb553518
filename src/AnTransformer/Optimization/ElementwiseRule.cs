using AnTransformer.Kernels;
using AnTransformer.Kernels.Cpu;
using AnTransformer.Kernels.Cuda;
using AnTransformer.Normalization;
using static TorchSharp.torch;

namespace AnTransformer.Optimization;

/// <summary>
/// A rule under which a number moves along a direction that its own gradient and state give: w ← (1 − η·decay)·w −
/// η'·u. Such a step is one pass over memory, and its direction can be looked at as a whole before it is taken
/// (<see cref="SpectralClipping"/>).
/// </summary>
public abstract record ElementwiseRule : UpdateRule
{
    private protected ElementwiseRule()
    {
    }

    /// <summary>Whether the step is there as kernels, too, beside <see cref="Direction"/>'s operators.</summary>
    internal virtual bool HasKernels => true;

    // A program's own rule may look at the whole gradient that it is given.
    internal override bool NeedsWholeMatrix => !HasKernels;

    internal override UpdateRule Clipped(double limit) => new SpectralClipping(this, limit);

    internal override void Update(IReadOnlyList<ParameterState> states, OptimizerStep step)
    {
        if (HasKernels && RowBlocks.Of(states) is { } blocks)
        {
            Dispatch.Record(Operation.Update, DispatchPath.Fused);
            CpuTeam.Run(blocks.Count, index => UpdateRows(blocks[index], step));
            RowBlocks.ConstrainColumns(states);
            return;
        }

        using var scope = NewDisposeScope();
        var kernels = HasKernels ? CudaStates.KernelsFor(states) : null;
        Dispatch.Record(Operation.Update, kernels is null ? DispatchPath.Eager : DispatchPath.Cuda);
        foreach (var state in states)
        {
            if (state.Gradient() is not { } gradient)
                continue;
            if (kernels is null)
            {
                using var operators = NewDisposeScope();
                UpdateTensors(state, gradient, step);
            }
            else
            {
                UpdateOnCuda(kernels, state, gradient, step);
                state.ConstrainColumns();
            }
        }
    }

    /// <summary>η': what a step at the step's own rate multiplies the direction by.</summary>
    internal abstract double StepSize(OptimizerStep step);

    /// <summary>
    /// The whole step of some rows, on the CPU: state, decay, update, constraint of rows, and gradients back to zero.
    /// </summary>
    internal abstract void UpdateRows(in RowBlock block, OptimizerStep step);

    /// <summary>
    /// The first half of the step of some rows, on the CPU: state; the direction u takes the gradient's place.
    /// </summary>
    internal abstract void DirectionRows(in RowBlock block, OptimizerStep step);

    /// <summary>The whole step of a parameter on a CUDA device, as <see cref="UpdateRows"/>.</summary>
    internal abstract void UpdateOnCuda(CudaKernels kernels, ParameterState state, Tensor gradient, OptimizerStep step);

    /// <summary>The first half of a parameter's step by LibTorch's operators: state; returns the direction u.</summary>
    /// <param name="state">The parameter.</param>
    /// <param name="gradient">Its gradient, scaled already.</param>
    /// <param name="step">The step.</param>
    internal abstract Tensor Direction(ParameterState state, Tensor gradient, OptimizerStep step);

    private void UpdateTensors(ParameterState state, Tensor gradient, OptimizerStep step)
    {
        gradient.mul_(step.GradientFactor);
        var direction = Direction(state, gradient, step);
        if (state.IsDecayed && step.WeightDecay != 0)
            state.Parameter.mul_(1 - (step.LearningRate * state.Multiple * step.WeightDecay));
        state.Parameter.add_(direction, alpha: -StepSize(step) * state.Multiple);
        state.Constraint.Apply(state.Parameter, state.Dimension);
        gradient.zero_();
    }
}
