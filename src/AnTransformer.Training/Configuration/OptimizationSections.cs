using System.ComponentModel;

namespace AnTransformer.Training.Configuration;

/// <summary>The <c>optimizer</c> section.</summary>
public sealed class OptimizerSection
{
    /// <summary>Peak learning rate.</summary>
    [Description("Peak learning rate of Adam.")]
    [InRange(0, 10)]
    public double LearningRate { get; set; } = 3e-3;

    /// <summary>β₁.</summary>
    [Description("Adam's decay of the gradient's mean.")]
    [InRange(0, 0.999999)]
    public double Beta1 { get; set; } = 0.9;

    /// <summary>β₂.</summary>
    [Description("Adam's decay of the squared gradient's mean.")]
    [InRange(0, 0.9999999)]
    public double Beta2 { get; set; } = 0.95;

    /// <summary>ε.</summary>
    [Description("Adam's epsilon.")]
    [InRange(0, 1)]
    public double Epsilon { get; set; } = 1e-8;

    /// <summary>Decoupled decay.</summary>
    [Description("Decoupled weight decay of matrices; null for the architecture's own (0.1 for gpt and gpt+, else 0).")]
    [InRange(0, 10)]
    public double? WeightDecay { get; set; }

    /// <summary>Clipping norm.</summary>
    [Description("Gradients with a larger norm are scaled down to it; 0 for no clipping; null for the architecture's own (1 for gpt and gpt+, else 0).")]
    [InRange(0, 1e9)]
    public double? GradientClipping { get; set; }
}

/// <summary>The <c>schedule</c> section.</summary>
public sealed class ScheduleSection
{
    /// <summary>cosine, wsd or constant.</summary>
    [Description("Learning rate over the run: cosine, wsd (stable, then a straight line down) or constant.")]
    [OneOf("cosine", "wsd", "constant")]
    public string Kind { get; set; } = "cosine";

    /// <summary>Warm-up.</summary>
    [Description("Steps of linear warm-up; null for the architecture's own (10 % of the steps, at most 2000, for gpt and gpt+, else 0).")]
    [InRange(0, 1e15)]
    public long? WarmupSteps { get; set; }

    /// <summary>Final share.</summary>
    [Description("Learning rate at the end as a share of the peak.")]
    [InRange(0, 1)]
    public double FinalFraction { get; set; }

    /// <summary>Decay share.</summary>
    [Description("Share of the steps over which wsd decays.")]
    [InRange(0, 1)]
    public double DecayFraction { get; set; } = 0.2;
}
