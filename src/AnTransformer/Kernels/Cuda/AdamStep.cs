using AnTransformer.Normalization;

namespace AnTransformer.Kernels.Cuda;

/// <summary>The constants of one optimizer step.</summary>
/// <param name="LearningRate">Learning rate of this step.</param>
/// <param name="Step">Number of this step, from 1; it sets the bias correction.</param>
/// <param name="Beta1">Decay of the mean.</param>
/// <param name="Beta2">Decay of the square.</param>
/// <param name="Epsilon">Added to the root of the square.</param>
/// <param name="WeightDecay">Decoupled decay (AdamW), 0 for none.</param>
/// <param name="GradientFactor">What gradients are multiplied by first.</param>
/// <param name="Constraint">Where rows are kept.</param>
/// <param name="ClearGradient">Whether gradients are set to zero afterwards.</param>
public sealed record AdamStep(
    double LearningRate,
    long Step,
    double Beta1,
    double Beta2,
    double Epsilon,
    double WeightDecay = 0,
    double GradientFactor = 1,
    RowConstraint Constraint = RowConstraint.None,
    bool ClearGradient = false);
