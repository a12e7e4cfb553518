using AnTransformer.Kernels;
using AnTransformer.Kernels.Cpu;
using AnTransformer.Kernels.Cuda;
using static TorchSharp.torch;

namespace AnTransformer.Optimization;

/// <summary>
/// Adam (Kingma and Ba 2015, arXiv 1412.6980), and AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101) where weights
/// decay: m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², u = m / (√v̂ + ε), with m's bias correction in the step size.
/// </summary>
/// <param name="Beta1">Decay of the gradient's mean.</param>
/// <param name="Beta2">Decay of the squared gradient's mean.</param>
/// <param name="Epsilon">Added to the root of the squared gradient's mean.</param>
public sealed record AdamWRule(double Beta1 = 0.9, double Beta2 = 0.95, double Epsilon = 1e-8) : ElementwiseRule
{
    private const int Mean = 0;
    private const int Square = 1;

    /// <inheritdoc/>
    public override string Name => "adam";

    /// <inheritdoc/>
    public override RuleSettings Settings => new(Beta1, Beta2, Epsilon);

    internal override IReadOnlyList<StateTensor> State => [new("exp_avg"), new("exp_avg_sq")];

    /// <inheritdoc/>
    public override AdamWRule With(RuleSettings settings)
        => new(settings.Beta1 ?? Beta1, settings.Beta2 ?? Beta2, settings.Epsilon ?? Epsilon);

    internal override double StepSize(OptimizerStep step) => step.LearningRate / (1 - Math.Pow(Beta1, step.Number));

    internal override unsafe void UpdateRows(in RowBlock block, OptimizerStep step)
        => CpuKernels.Instance.Adam(
            block.Values, block.Gradients, block.Tensor(Mean), block.Tensor(Square), block.Rows, block.Width,
            Constants(block.State, step), block.State.ConstraintOfRows);

    internal override unsafe void DirectionRows(in RowBlock block, OptimizerStep step)
        => CpuKernels.Instance.AdamDirection(
            block.Gradients, block.Tensor(Mean), block.Tensor(Square), block.Count, Constants(block.State, step));

    internal override void UpdateOnCuda(CudaKernels kernels, ParameterState state, Tensor gradient, OptimizerStep step)
        => CudaOperators.AdamUpdate(
            kernels, state.Parameter, gradient, state.Tensors[Mean], state.Tensors[Square], Constants(state, step),
            state.ConstraintOfRows);

    internal override Tensor Direction(ParameterState state, Tensor gradient, OptimizerStep step)
    {
        state.Tensors[Mean].mul_(Beta1).add_(gradient, alpha: 1 - Beta1);
        state.Tensors[Square].mul_(Beta2).addcmul_(gradient, gradient, 1 - Beta2);
        return state.Tensors[Mean] / state.Tensors[Square].sqrt().mul_(SquareCorrection(step)).add_(Epsilon);
    }

    private double SquareCorrection(OptimizerStep step) => 1 / Math.Sqrt(1 - Math.Pow(Beta2, step.Number));

    private AdamStep Constants(ParameterState state, OptimizerStep step) => new(
        (float)Beta1, (float)Beta2, (float)(1 - Beta1), (float)(1 - Beta2), (float)Epsilon,
        OptimizerStep.StepSize(StepSize(step), state), (float)SquareCorrection(step), step.Keep(state),
        (float)step.GradientFactor);
}
