using System.Runtime.InteropServices;

namespace AnTransformer.Kernels;

/// <summary>An Adam step's constants.</summary>
/// <param name="Beta1">Decay of the mean.</param>
/// <param name="Beta2">Decay of the squared mean.</param>
/// <param name="Rest1">1 − β₁, from fp64.</param>
/// <param name="Rest2">1 − β₂, from fp64.</param>
/// <param name="Epsilon">Added to the denominator.</param>
/// <param name="StepSize">Learning rate over the mean's bias correction.</param>
/// <param name="SquareCorrection">1 / √(bias correction of the squared mean).</param>
/// <param name="Keep">What decoupled decay leaves of a parameter: 1 − rate·decay.</param>
/// <param name="GradientFactor">What gradients are multiplied by first, for clipping.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct AdamStep(
    float Beta1, float Beta2, float Rest1, float Rest2, float Epsilon, float StepSize, float SquareCorrection,
    float Keep, float GradientFactor);
