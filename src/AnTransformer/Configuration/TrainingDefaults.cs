namespace AnTransformer.Configuration;

/// <summary>How an architecture is trained where nothing else is asked for.</summary>
/// <param name="WeightDecay">AdamW's decay of matrices, as a multiple of the learning rate.</param>
/// <param name="GradientClipping">Largest gradient norm; 0 for no clipping.</param>
/// <param name="WarmupFraction">Warm-up as a share of all steps; 0 for none.</param>
/// <param name="SpectralClip">Bound of a step's largest singular direction with Adam; 0 for none.</param>
/// <param name="WidthExponent">
/// Exponent by which rates of matrices fall with their row length with Adam; 0 for one rate.
/// </param>
public sealed record TrainingDefaults(
    double WeightDecay = 0, double GradientClipping = 0, double WarmupFraction = 0, double SpectralClip = 0,
    double WidthExponent = 0)
{
    /// <summary>
    /// AdamW with decay, clipping and warm-up, as networks with normalization layers are trained (arXiv 2505.22014,
    /// section 4).
    /// </summary>
    public static TrainingDefaults Normalized { get; } = new(
        WeightDecay: 0.1, GradientClipping: 1, WarmupFraction: 0.1);
}
