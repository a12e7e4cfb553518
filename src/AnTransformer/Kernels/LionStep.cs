using System.Runtime.InteropServices;

namespace AnTransformer.Kernels;

/// <summary>A Lion step's constants.</summary>
/// <param name="Beta1">How much of the momentum the direction has.</param>
/// <param name="Beta2">How much of the momentum is kept.</param>
/// <param name="Rest1">1 − β₁, from fp64.</param>
/// <param name="Rest2">1 − β₂, from fp64.</param>
/// <param name="StepSize">Learning rate.</param>
/// <param name="Keep">What decoupled decay leaves of a parameter: 1 − rate·decay.</param>
/// <param name="GradientFactor">What gradients are multiplied by first, for clipping.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct LionStep(
    float Beta1, float Beta2, float Rest1, float Rest2, float StepSize, float Keep, float GradientFactor);
