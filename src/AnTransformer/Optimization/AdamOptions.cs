namespace AnTransformer.Optimization;

/// <summary>Constants of Adam and AdamW.</summary>
/// <param name="Beta1">Decay of the gradient's mean.</param>
/// <param name="Beta2">Decay of the squared gradient's mean.</param>
/// <param name="Epsilon">Added to the root of the squared gradient's mean.</param>
/// <param name="WeightDecay">Decoupled decay (AdamW) of matrices; 0 for Adam.</param>
public sealed record AdamOptions(double Beta1 = 0.9, double Beta2 = 0.95, double Epsilon = 1e-8, double WeightDecay = 0)
{
    /// <summary>Learning rates of the kinds of parameters; the same for all by default.</summary>
    public LearningRateFactors Factors { get; init; } = new();

    /// <summary>Updates a model's blocks' matrices by Muon instead of Adam; null, the default, for Adam throughout.</summary>
    public MuonOptions? Muon { get; init; }

    /// <summary>
    /// Largest singular value that a step of a model's matrix may have, as a multiple of a random matrix's with entries of the same size;
    /// what exceeds it is taken out of the step (see <see cref="SpectralClipping"/>). 0, the default, for no limit.
    /// </summary>
    public double SpectralClip { get; init; }
}
