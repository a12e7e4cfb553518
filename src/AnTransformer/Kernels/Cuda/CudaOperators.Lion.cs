using AnTransformer.Configuration;
using static TorchSharp.torch;

namespace AnTransformer.Kernels.Cuda;

/// <content>Lion.</content>
internal static partial class CudaOperators
{
    /// <summary>
    /// One step of Lion, in place: gradient factor, direction, momentum, decoupled decay, update, row constraint and
    /// zeroing of the gradient in one pass. Views of a flat buffer serve as well as tensors of their own.
    /// </summary>
    /// <param name="kernels">The device's kernels.</param>
    /// <param name="parameter">fp32, any shape; with a constraint [rows, columns].</param>
    /// <param name="gradient">fp32, as many elements.</param>
    /// <param name="momentum">fp32, as many elements.</param>
    /// <param name="step">The constants.</param>
    /// <param name="constraint">Where rows are kept.</param>
    public static void LionUpdate(
        CudaKernels kernels, Tensor parameter, Tensor gradient, Tensor momentum, LionStep step,
        RowConstraint constraint)
    {
        Require(kernels, parameter, nameof(parameter), ScalarType.Float32, parameter.shape);
        Require(kernels, gradient, nameof(gradient), ScalarType.Float32, parameter.shape);
        Require(kernels, momentum, nameof(momentum), ScalarType.Float32, parameter.shape);
        kernels.LionUpdate(new()
        {
            Parameter = At(parameter),
            Gradient = At(gradient),
            Momentum = At(momentum),
            Size = parameter.numel(),
            Columns = constraint == RowConstraint.None ? Piece : Matrix(parameter).Columns,
            Constraint = (int)constraint,
            Beta1 = step.Beta1,
            Rest1 = step.Rest1,
            Beta2 = step.Beta2,
            Rest2 = step.Rest2,
            StepSize = step.StepSize,
            Decay = step.Keep,
            GradientFactor = step.GradientFactor,
        });
    }
}
