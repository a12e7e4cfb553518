using AnTransformer.Configuration;
using static TorchSharp.torch;

namespace AnTransformer.Kernels.Cuda;

/// <content>The optimizer.</content>
internal static partial class CudaOperators
{
    // Without a constraint rows mean nothing to the optimizer: blocks take pieces of this size.
    private const int Piece = 4096;

    /// <summary>
    /// One step of Adam or AdamW, in place: gradient factor, moments, bias correction, decoupled decay, update, row
    /// constraint and zeroing of the gradient in one pass. Views of a flat buffer serve as well as tensors of their
    /// own.
    /// </summary>
    /// <param name="kernels">The device's kernels.</param>
    /// <param name="parameter">fp32, any shape; with a constraint [rows, columns].</param>
    /// <param name="gradient">fp32, as many elements.</param>
    /// <param name="mean">First moment, fp32, as many elements.</param>
    /// <param name="square">Second moment, fp32, as many elements.</param>
    /// <param name="step">The constants.</param>
    /// <param name="constraint">Where rows are kept.</param>
    /// <param name="clear">Whether the gradient is set to zero afterwards.</param>
    /// <param name="squareSum">
    /// ‖g‖² of all gradients, fp64 [1], from <see cref="SquareSum"/>, to clip without waiting for the device: gradients
    /// are also multiplied by min(1, maxNorm / (‖g‖ · factor + 1e-6)). Null for none.
    /// </param>
    /// <param name="maxNorm">The clipping threshold; used with <paramref name="squareSum"/> only.</param>
    public static void AdamUpdate(
        CudaKernels kernels, Tensor parameter, Tensor gradient, Tensor mean, Tensor square, AdamStep step,
        RowConstraint constraint = RowConstraint.None, bool clear = true, Tensor? squareSum = null, double maxNorm = 0)
    {
        ArgumentNullException.ThrowIfNull(kernels);
        Require(kernels, parameter, nameof(parameter), ScalarType.Float32, parameter.shape);
        Require(kernels, gradient, nameof(gradient), ScalarType.Float32, parameter.shape);
        Require(kernels, mean, nameof(mean), ScalarType.Float32, parameter.shape);
        Require(kernels, square, nameof(square), ScalarType.Float32, parameter.shape);
        Require(kernels, squareSum, nameof(squareSum), ScalarType.Float64, [1]);
        if (constraint != RowConstraint.None && parameter.dim() != 2)
            throw new ArgumentException("Only the rows of a matrix are constrained.", nameof(parameter));
        var columns = constraint == RowConstraint.None ? Piece : Matrix(parameter).Columns;
        if (parameter.numel() == 0)
            return;
        kernels.AdamUpdate(new()
        {
            Parameter = At(parameter),
            Gradient = At(gradient),
            Mean = At(mean),
            Square = At(square),
            SquareSum = At(squareSum),
            Size = parameter.numel(),
            Columns = columns,
            Constraint = (int)constraint,
            Clear = clear ? 1 : 0,
            Rest1 = step.Rest1,
            Beta2 = step.Beta2,
            Rest2 = step.Rest2,
            Epsilon = step.Epsilon,
            StepSize = step.StepSize,
            SquareCorrection = 1 / step.SquareCorrection,
            Decay = step.Keep,
            GradientFactor = step.GradientFactor,
            MaxNorm = (float)maxNorm,
        });
    }

    /// <summary>Σ x², always added in the same order, in fp64.</summary>
    /// <param name="kernels">The device's kernels.</param>
    /// <param name="x">fp32, any shape.</param>
    /// <returns>fp64 [1], on the device.</returns>
    public static Tensor SquareSum(CudaKernels kernels, Tensor x)
    {
        ArgumentNullException.ThrowIfNull(kernels);
        ArgumentNullException.ThrowIfNull(x);
        Require(kernels, x, nameof(x), ScalarType.Float32, x.shape);
        var sum = kernels.Launcher.Empty([1], ScalarType.Float64);
        kernels.SquareSum(At(x), x.numel(), At(sum));
        return sum;
    }
}
