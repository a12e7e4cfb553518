using AnTransformer.Normalization;
using static TorchSharp.torch;

namespace AnTransformer.Optimization;

/// <summary>
/// Muon (Jordan et al. 2024): a matrix moves along its gradient's momentum with all singular values made equal. A direction that all
/// inputs share gets no larger a step than any other, so that no rows can align with it faster than the rest learns: what makes
/// anGPT's norms leave their predictions at high learning rates. The step is scaled so that rows change by the rate (root mean square):
/// with rows of norm 1 that is the angle they turn by, at every width and shape.
/// </summary>
internal static class Muon
{
    /// <summary>Updates a matrix and its momentum, applies its constraint, and empties the gradient.</summary>
    /// <param name="state">The matrix; its <see cref="ParameterState.Mean"/> is the momentum.</param>
    /// <param name="options">Constants.</param>
    /// <param name="learningRate">Norm of a row's change.</param>
    /// <param name="weightDecay">Decoupled decay.</param>
    /// <param name="gradientFactor">What the gradient is multiplied by first.</param>
    public static void Update(ParameterState state, MuonOptions options, double learningRate, double weightDecay, double gradientFactor)
    {
        using var scope = NewDisposeScope();
        if (state.Gradient() is not { } gradient)
            return;
        if (gradientFactor != 1)
            gradient.mul_(gradientFactor);
        state.Mean.lerp_(gradient, 1 - options.Momentum);
        gradient.lerp_(state.Mean, options.Momentum);       // Nesterov's look ahead
        Orthogonalization.Apply(gradient);
        var (rows, columns) = (gradient.shape[0], gradient.shape[1]);
        // All singular values near 1 make the squares sum to the smaller side: that many rows' worth of norm is shared by all rows.
        var rowNorm = Math.Sqrt((double)Math.Min(rows, columns) / rows);
        if (weightDecay > 0)
            state.Parameter.mul_(1 - (learningRate * weightDecay));
        state.Parameter.add_(gradient, alpha: -learningRate / rowNorm);
        state.Constraint.Apply(state.Parameter, state.Dimension);
        gradient.zero_();
    }
}
