using AnTransformer.Kernels;
using AnTransformer.Kernels.Cpu;
using AnTransformer.Kernels.Cuda;
using static TorchSharp.torch;

namespace AnTransformer.Optimization;

/// <summary>
/// Lion (Chen et al. 2023, arXiv 2302.06675): u = sign(β₁m + (1 − β₁)g), then m ← β₂m + (1 − β₂)g. One moment in place
/// of Adam's two. Every number moves by exactly the rate; the paper has rates of a third to a tenth of Adam's, with
/// as many times its decay.
/// </summary>
/// <param name="Beta1">How much of the momentum the step's direction has.</param>
/// <param name="Beta2">How much of the momentum is kept from step to step.</param>
public sealed record LionRule(double Beta1 = 0.9, double Beta2 = 0.99) : ElementwiseRule
{
    /// <inheritdoc/>
    public override string Name => "lion";

    /// <inheritdoc/>
    public override RuleSettings Settings => new(Beta1, Beta2);

    internal override IReadOnlyList<StateTensor> State => [new("exp_avg")];

    /// <inheritdoc/>
    public override LionRule With(RuleSettings settings) => new(settings.Beta1 ?? Beta1, settings.Beta2 ?? Beta2);

    internal override double StepSize(OptimizerStep step) => step.LearningRate;

    internal override unsafe void UpdateRows(in RowBlock block, OptimizerStep step)
        => CpuKernels.Instance.Lion(
            block.Values, block.Gradients, block.Tensor(0), block.Rows, block.Width, Constants(block.State, step),
            block.State.ConstraintOfRows);

    internal override unsafe void DirectionRows(in RowBlock block, OptimizerStep step)
        => CpuKernels.Instance.LionDirection(
            block.Gradients, block.Tensor(0), block.Count, Constants(block.State, step));

    internal override void UpdateOnCuda(CudaKernels kernels, ParameterState state, Tensor gradient, OptimizerStep step)
        => CudaOperators.LionUpdate(
            kernels, state.Parameter, gradient, state.Tensors[0], Constants(state, step), state.ConstraintOfRows);

    internal override Tensor Direction(ParameterState state, Tensor gradient, OptimizerStep step)
    {
        var momentum = state.Tensors[0];
        var direction = (momentum * Beta1).add_(gradient, alpha: 1 - Beta1).sign_();
        momentum.mul_(Beta2).add_(gradient, alpha: 1 - Beta2);
        return direction;
    }

    private LionStep Constants(ParameterState state, OptimizerStep step) => new(
        (float)Beta1, (float)Beta2, (float)(1 - Beta1), (float)(1 - Beta2),
        OptimizerStep.StepSize(StepSize(step), state), step.Keep(state), (float)step.GradientFactor);
}
