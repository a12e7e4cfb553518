using AnTransformer.Architectures;
using AnTransformer.Configuration;

namespace AnTransformer.Optimization;

/// <summary>
/// What an <see cref="Optimizer"/> does besides its rule. <see cref="For"/> has what an architecture is trained with;
/// what is not given otherwise makes plain Adam.
/// </summary>
public sealed record OptimizerSettings
{
    // So that a gradient of zeros is not divided by zero; PyTorch's clip_grad_norm_ has the same.
    private const double SmallestNorm = 1e-6;

    /// <summary>How parameters follow their gradients; Adam by default.</summary>
    public UpdateRule Rule { get; init; } = new AdamWRule();

    /// <summary>
    /// Decoupled decay of matrices, as a multiple of the learning rate (AdamW); 0, the default, for none.
    /// </summary>
    public double WeightDecay { get; init; }

    /// <summary>Learning rates of the kinds of parameters; the same for all by default.</summary>
    public LearningRateFactors Factors { get; init; } = new();

    /// <summary>
    /// Largest singular value that a step of a model's matrix may have, as a multiple of a random matrix's with entries
    /// of the same size; what exceeds it is taken out of the step (see <see cref="SpectralClipping"/>). 0, the default,
    /// for no limit. Muon's steps of the blocks' matrices need none and get none.
    /// </summary>
    public double SpectralClip { get; init; }

    /// <summary>
    /// Gradients with a larger norm, over all parameters, are scaled down to this norm; 0, the default, for no limit.
    /// </summary>
    public double GradientClipping { get; init; }

    /// <summary>
    /// What a model of an architecture is trained with unless a user says otherwise: what
    /// <see cref="Optimizer(LanguageModel)"/> and the tool take (<see cref="ArchitectureDefinition.Training"/>). Muon's
    /// steps need neither spectral clipping nor rates by width.
    /// </summary>
    /// <param name="config">The model's configuration.</param>
    /// <param name="rule">How parameters follow their gradients; null for Adam.</param>
    public static OptimizerSettings For(ModelConfig config, UpdateRule? rule = null)
    {
        var defaults = ArchitectureRegistry.Get(config.Architecture).Training;
        rule ??= new AdamWRule();
        var byRate = rule.MovesEveryNumberByTheRate;
        return new OptimizerSettings
        {
            Rule = rule,
            WeightDecay = defaults.WeightDecay,
            Factors = new LearningRateFactors(WidthExponent: byRate ? defaults.WidthExponent : 0),
            SpectralClip = byRate ? defaults.SpectralClip : 0,
            GradientClipping = defaults.GradientClipping,
        };
    }

    /// <summary>
    /// What gradients are multiplied by so that their norm is <see cref="GradientClipping"/> at most.
    /// </summary>
    /// <param name="gradientNorm">Their norm.</param>
    public double ClippingFactor(double gradientNorm)
        => GradientClipping > 0 ? Math.Min(1, GradientClipping / (gradientNorm + SmallestNorm)) : 1;
}
