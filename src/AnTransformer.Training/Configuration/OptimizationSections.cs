using System.ComponentModel;
using AnTransformer.Optimization;

namespace AnTransformer.Training.Configuration;

/// <summary>The <c>optimizer</c> section.</summary>
public sealed class OptimizerSection
{
    /// <summary>The update rule, by its name in <see cref="UpdateRuleRegistry"/>.</summary>
    [Description("How parameters follow their gradients: adam (AdamW where weights decay), muon (all directions of the "
        + "momentum of a block's matrix get the same step; embedding, head and scales are updated by adam) or lion "
        + "(every number moves by the rate, by the sign of a momentum; one moment in place of adam's two, best at a "
        + "third to a tenth of adam's rate).")]
    [UpdateRuleName]
    public string Kind { get; set; } = "adam";

    /// <summary>Peak learning rate.</summary>
    [Description("Highest learning rate of the run.")]
    [InRange(0, 10, ExcludesLowest = true)]
    public double LearningRate { get; set; } = 3e-3;

    /// <summary>Muon's rate.</summary>
    [Description("For kind muon: highest learning rate of the blocks' matrices, the norm by which a row changes in a "
        + "step; it follows the same "
        + "schedule as learning_rate.")]
    [InRange(0, 10, ExcludesLowest = true)]
    public double MuonLearningRate { get; set; } = 0.02;

    /// <summary>Muon's momentum.</summary>
    [Description("For kind muon: how much of the running mean of the gradient is kept from step to step.")]
    [InRange(0, 1, ExcludesHighest = true)]
    public double MuonMomentum { get; set; } = 0.95;

    /// <summary>Spectral clipping.</summary>
    [Description("Largest singular value that a step of a matrix by adam or lion may have, as a multiple of a random "
        + "matrix's with entries of the same size; the excess is taken out of the step, "
        + "so that rows cannot all align with one direction. 0 for no limit; null for the "
        + "architecture's default: 1 for angpt with kind adam or lion, 0 otherwise.")]
    [NotNegative]
    public double? SpectralClip { get; set; }

    /// <summary>Embedding's multiple.</summary>
    [Description("Learning rate of the token embedding as a multiple of learning_rate.")]
    [InRange(0, 1000)]
    public double EmbeddingRate { get; set; } = 1;

    /// <summary>Blocks' multiple.</summary>
    [Description(
        "Learning rate of the blocks' matrices as a multiple of learning_rate (of muon_learning_rate for kind muon).")]
    [InRange(0, 1000)]
    public double HiddenRate { get; set; } = 1;

    /// <summary>Head's multiple.</summary>
    [Description("Learning rate of the head as a multiple of learning_rate.")]
    [InRange(0, 1000)]
    public double HeadRate { get; set; } = 1;

    /// <summary>Scales' multiple.</summary>
    [Description(
        "Learning rate of gains and scales, alpha and the logit scale among them, as a multiple of learning_rate.")]
    [InRange(0, 1000)]
    public double ScaleRate { get; set; } = 1;

    /// <summary>Width exponent.</summary>
    [Description("p: rates of matrices are multiplied by (256 / row length)^p as well. 0 for one rate at all widths, "
        + "0.5 for one angle by which "
        + "rows of norm 1 turn at all widths, 1 for one best learning_rate at all widths; null for the architecture's "
        + "default: 1 for angpt with "
        + "kind adam or lion, 0 otherwise.")]
    [InRange(0, 2)]
    public double? WidthExponent { get; set; }

    /// <summary>β₁.</summary>
    [Description("How much of the running mean of the gradient a step is made from: for adam (and what muon leaves to "
        + "it) of the mean that is kept, for lion in the step's sign only; null for the kind's default: 0.9.")]
    [InRange(0, 1, ExcludesHighest = true)]
    public double? Beta1 { get; set; }

    /// <summary>β₂.</summary>
    [Description("How much is kept from step to step: by adam (and what muon leaves to it) of the running mean of the "
        + "squared gradient, by lion of that of the gradient; null for the kind's default: 0.95, for lion 0.99.")]
    [InRange(0, 1, ExcludesHighest = true)]
    public double? Beta2 { get; set; }

    /// <summary>ε.</summary>
    [Description("Small number added to the root of the squared gradient so that adam never divides by zero.")]
    [InRange(0, 1)]
    public double Epsilon { get; set; } = 1e-8;

    /// <summary>Decoupled decay.</summary>
    [Description("Decoupled weight decay of matrices (AdamW); null for the architecture's default: 0.1 for gpt and "
        + "gpt+, 0 "
        + "for the others.")]
    [InRange(0, 10)]
    public double? WeightDecay { get; set; }

    /// <summary>Clipping norm.</summary>
    [Description("Gradients with a larger norm are scaled down to this norm; 0 for no clipping; null for the "
        + "architecture's "
        + "default: 1 for gpt and gpt+, 0 for the others.")]
    [NotNegative]
    public double? GradientClipping { get; set; }
}

/// <summary>The <c>schedule</c> section.</summary>
public sealed class ScheduleSection
{
    /// <summary>cosine, polynomial, wsd or constant.</summary>
    [Description("Learning rate over the run after warm-up: cosine (half a cosine down), polynomial (the share of "
        + "steps that remain, to "
        + "the power of `power`), wsd (constant, then a straight line down at the end) or constant.")]
    public ScheduleKind Kind { get; set; }

    /// <summary>Warm-up.</summary>
    [Description("Steps over which the learning rate first rises from 0; null for the architecture's default: 10 % of "
        + "the "
        + "steps, at most 2000, for gpt and gpt+, 0 for the others.")]
    [NotNegative]
    public long? WarmupSteps { get; set; }

    /// <summary>Final share.</summary>
    [Description("Learning rate at the end, as a share of the highest.")]
    [InRange(0, 1)]
    public double FinalFraction { get; set; }

    /// <summary>Decay share.</summary>
    [Description("Share of the steps over which wsd goes down.")]
    [InRange(0, 1)]
    public double DecayFraction { get; set; } = 0.2;

    /// <summary>Polynomial's power.</summary>
    [Description("Exponent of polynomial: 1 is a straight line down, higher ones fall faster at first.")]
    [InRange(0, 10)]
    public double Power { get; set; } = 1;
}
