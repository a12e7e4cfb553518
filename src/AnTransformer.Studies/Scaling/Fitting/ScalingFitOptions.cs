namespace AnTransformer.Studies.Scaling.Fitting;

/// <summary>Which laws are fitted.</summary>
public enum ScalingLaw
{
    /// <summary>
    /// L(N, D) = E + A / N^α + B / D^β, with what follows from it, and L(C) where there are enough budgets.
    /// </summary>
    Parametric,

    /// <summary>L(C) = L∞ + k / C^γ alone.</summary>
    Power,
}

/// <summary>How laws are fitted.</summary>
public sealed record ScalingFitOptions
{
    /// <summary>Which laws.</summary>
    public ScalingLaw Law { get; init; } = ScalingLaw.Parametric;

    /// <summary>
    /// δ of the Huber loss of log residuals (Hoffmann et al. 2022 have 1e-3); towards 0 it becomes the absolute loss.
    /// </summary>
    public double Delta { get; init; } = 1e-3;

    /// <summary>Whether L(C) has no floor: L∞ = 0.</summary>
    public bool ZeroFloor { get; init; }

    /// <summary>Number of bootstrap resamples; 0 for no intervals.</summary>
    public int Resamples { get; init; } = 200;

    /// <summary>Seed of the resamples.</summary>
    public int Seed { get; init; }

    /// <summary>How many rows of highest loss are left out of each group (Besiroglu et al. 2024 leave out 5).</summary>
    public int DropHighestLoss { get; init; }

    /// <summary>
    /// Compute budgets in FLOP to allocate; empty for powers of ten from the data's smallest to a hundred times its
    /// largest.
    /// </summary>
    public IReadOnlyList<double> Budgets { get; init; } = [];
}
