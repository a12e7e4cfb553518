using AnTransformer.Architectures;
using AnTransformer.Normalization;
using static TorchSharp.torch;

namespace AnTransformer.Optimization;

/// <summary>
/// Muon (Jordan et al. 2024) for the blocks' matrices: a matrix moves along its gradient's momentum with all singular
/// values made equal. A direction that all inputs share gets no larger a step than any other, so that no rows can align
/// with it faster than the rest learns: what makes anGPT's norms leave their predictions at high learning rates. The
/// step is scaled so that rows change by the rate (root mean square): with rows of norm 1 that is the angle they turn
/// by, at every width and shape.
/// </summary>
/// <param name="LearningRateFactor">
/// Root-mean-square norm of the change of a matrix's row in a step, as a multiple of the step's learning rate.
/// </param>
/// <param name="Momentum">How much of the running mean of the gradient is kept from step to step.</param>
public sealed record MuonRule(double LearningRateFactor = 1, double Momentum = 0.95) : UpdateRule
{
    /// <summary>Updates embedding, head and scales.</summary>
    public AdamWRule Others { get; init; } = new();

    /// <inheritdoc/>
    public override string Name => "muon";

    /// <inheritdoc/>
    public override RuleSettings Settings
        => Others.Settings with { MatrixRateFactor = LearningRateFactor, Momentum = Momentum };

    internal override IReadOnlyList<StateTensor> State => [new("exp_avg")];

    // The rate is the angle itself.
    internal override bool MovesEveryNumberByTheRate => false;

    /// <inheritdoc/>
    public override MuonRule With(RuleSettings settings)
        => new(settings.MatrixRateFactor ?? LearningRateFactor, settings.Momentum ?? Momentum)
        {
            Others = Others.With(settings),
        };

    internal override UpdateRule For(ParameterRole role) => role == ParameterRole.Hidden ? this : Others;

    internal override void Update(IReadOnlyList<ParameterState> states, OptimizerStep step)
    {
        foreach (var state in states)
            Update(state, step.LearningRate * LearningRateFactor * state.Multiple, step);
    }

    private void Update(ParameterState state, double learningRate, OptimizerStep step)
    {
        using var scope = NewDisposeScope();
        if (state.Gradient() is not { } gradient)
            return;
        if (step.GradientFactor != 1)
            gradient.mul_(step.GradientFactor);
        state.Tensors[0].lerp_(gradient, 1 - Momentum);
        gradient.lerp_(state.Tensors[0], Momentum);         // Nesterov's look ahead
        Orthogonalization.Apply(gradient);
        var (rows, columns) = (gradient.shape[0], gradient.shape[1]);
        // All singular values near 1 make the squares sum to the smaller side: that many rows' worth of norm is shared
        // by all rows.
        var rowNorm = Math.Sqrt((double)Math.Min(rows, columns) / rows);
        if (step.WeightDecay > 0)
            state.Parameter.mul_(1 - (learningRate * step.WeightDecay));
        state.Parameter.add_(gradient, alpha: -learningRate / rowNorm);
        state.Constraint.Apply(state.Parameter, state.Dimension);
        gradient.zero_();
    }
}
