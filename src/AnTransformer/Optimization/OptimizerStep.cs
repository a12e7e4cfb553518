using System.Runtime.InteropServices;

namespace AnTransformer.Optimization;

/// <summary>What a step is for all parameters: what rules make their constants from.</summary>
/// <param name="Number">1 for the first step; bias corrections follow it.</param>
/// <param name="LearningRate">Rate before the parameters' own multiples.</param>
/// <param name="WeightDecay">Decoupled decay of matrices, as a multiple of the rate.</param>
/// <param name="GradientFactor">What gradients are multiplied by first, for clipping.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct OptimizerStep(
    long Number, double LearningRate, double WeightDecay, double GradientFactor)
{
    /// <summary>A step size at a parameter's multiple, rounded as kernels take it.</summary>
    /// <param name="stepSize">The rule's step size at the step's own rate.</param>
    /// <param name="state">The parameter.</param>
    public static float StepSize(double stepSize, ParameterState state)
        => (float)state.Multiple is var multiple && multiple == 1 ? (float)stepSize : (float)stepSize * multiple;

    /// <summary>What decay leaves of a parameter's numbers, rounded as kernels take it.</summary>
    /// <param name="state">The parameter.</param>
    public float Keep(ParameterState state)
    {
        if (!state.IsDecayed)
            return 1;
        var (keep, multiple) = ((float)(1 - (LearningRate * WeightDecay)), (float)state.Multiple);
        return multiple == 1 ? keep : 1 - ((1 - keep) * multiple);
    }
}
