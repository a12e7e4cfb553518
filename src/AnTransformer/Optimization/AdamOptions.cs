using AnTransformer.Architectures;
using AnTransformer.Configuration;

namespace AnTransformer.Optimization;

/// <summary>
/// Constants of Adam and AdamW. <see cref="For"/> has those an architecture is trained with; what is not given otherwise makes plain Adam.
/// </summary>
/// <param name="Beta1">Decay of the gradient's mean.</param>
/// <param name="Beta2">Decay of the squared gradient's mean.</param>
/// <param name="Epsilon">Added to the root of the squared gradient's mean.</param>
/// <param name="WeightDecay">Decoupled decay (AdamW) of matrices; 0 for Adam.</param>
public sealed record AdamOptions(double Beta1 = 0.9, double Beta2 = 0.95, double Epsilon = 1e-8, double WeightDecay = 0)
{
    // So that a gradient of zeros is not divided by zero; PyTorch's clip_grad_norm_ has the same.
    private const double SmallestNorm = 1e-6;

    /// <summary>Learning rates of the kinds of parameters; the same for all by default.</summary>
    public LearningRateFactors Factors { get; init; } = new();

    /// <summary>Updates a model's blocks' matrices by Muon instead of Adam; null, the default, for Adam throughout.</summary>
    public MuonOptions? Muon { get; init; }

    /// <summary>
    /// Largest singular value that a step of a model's matrix may have, as a multiple of a random matrix's with entries of the same size;
    /// what exceeds it is taken out of the step (see <see cref="SpectralClipping"/>). 0, the default, for no limit.
    /// </summary>
    public double SpectralClip { get; init; }

    /// <summary>Gradients with a larger norm, over all parameters, are scaled down to this norm; 0, the default, for no limit.</summary>
    public double GradientClipping { get; init; }

    /// <summary>
    /// The constants a model of an architecture is trained with unless a user says otherwise: what <see cref="Adam(LanguageModel)"/> and
    /// the tool take (<see cref="ArchitectureDefinition.Training"/>). Muon's steps need neither spectral clipping nor rates by width.
    /// </summary>
    /// <param name="config">The model's configuration.</param>
    /// <param name="muon">Muon's constants where it updates the blocks' matrices; null for Adam throughout.</param>
    public static AdamOptions For(ModelConfig config, MuonOptions? muon = null)
    {
        var defaults = ArchitectureRegistry.Get(config.Architecture).Training;
        return new AdamOptions(WeightDecay: defaults.WeightDecay)
        {
            Factors = new LearningRateFactors(WidthExponent: muon is null ? defaults.WidthExponent : 0),
            Muon = muon,
            SpectralClip = muon is null ? defaults.SpectralClip : 0,
            GradientClipping = defaults.GradientClipping,
        };
    }

    /// <summary>What gradients are multiplied by so that their norm is <see cref="GradientClipping"/> at most.</summary>
    /// <param name="gradientNorm">Their norm.</param>
    public double ClippingFactor(double gradientNorm)
        => GradientClipping > 0 ? Math.Min(1, GradientClipping / (gradientNorm + SmallestNorm)) : 1;
}
