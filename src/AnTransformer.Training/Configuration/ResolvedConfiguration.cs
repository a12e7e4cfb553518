using AnTransformer.Architectures;
using AnTransformer.Configuration;
using AnTransformer.Optimization;
using AnTransformer.Training.Runs;

namespace AnTransformer.Training.Configuration;

/// <summary>
/// The one place that knows what a null of a configuration stands for. A run resolves its configuration when it starts
/// and writes down the result, so that a default that changes later changes no run.
/// </summary>
public static class ResolvedConfiguration
{
    /// <summary>
    /// A copy in which every null that stands for a default of the architecture (arXiv 2505.22014) or of the
    /// optimizer's rule has that default's value. Nulls that stand for nothing, such as that of
    /// <c>training.max_minutes</c>, remain.
    /// </summary>
    /// <param name="configuration">A validated configuration.</param>
    /// <exception cref="InvalidInputException">
    /// The architecture or the optimizer's kind is unknown, or no number of steps is given.
    /// </exception>
    public static TrainingConfiguration Of(TrainingConfiguration configuration)
    {
        var (resolved, model) = ForArchitecture(configuration);
        resolved.Schedule.WarmupSteps ??= LearningRateSchedule.WarmupFor(model, TrainingPlan.StepsOf(resolved));
        return resolved;
    }

    /// <summary>
    /// As <see cref="Of"/>, for a configuration that may not say yet how long the run is: what depends on that then
    /// remains null.
    /// </summary>
    /// <param name="configuration">A configuration whose fields are legal each by itself.</param>
    /// <exception cref="InvalidInputException">
    /// The architecture is unknown, or a model of that shape cannot be.
    /// </exception>
    public static TrainingConfiguration AsFarAsKnown(TrainingConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return configuration.Training is { Steps: null, MaxTokens: null }
            ? ForArchitecture(configuration).Resolved
            : Of(configuration);
    }

    private static (TrainingConfiguration Resolved, ModelConfig Model) ForArchitecture(
        TrainingConfiguration configuration)
    {
        var resolved = ConfigurationBinder.Copy(configuration);
        var model = ResolveModel(resolved.Model);
        var optimizer = resolved.Optimizer;
        var rule = UpdateRuleRegistry.Get(optimizer.Kind, "optimizer.kind");
        var defaults = OptimizerSettings.For(model, rule);
        optimizer.Beta1 ??= rule.Settings.Beta1 ?? 0;
        optimizer.Beta2 ??= rule.Settings.Beta2 ?? 0;
        optimizer.SpectralClip ??= defaults.SpectralClip;
        optimizer.WidthExponent ??= defaults.Factors.WidthExponent;
        optimizer.WeightDecay ??= defaults.WeightDecay;
        optimizer.GradientClipping ??= defaults.GradientClipping;
        return (resolved, model);
    }

    /// <summary>The keys of fields that a configuration leaves to defaults.</summary>
    /// <param name="configuration">A validated configuration.</param>
    public static IReadOnlyList<string> Unresolved(TrainingConfiguration configuration)
        => ConfigurationBinder.Differences(configuration, Of(configuration), includeChangeable: true)
            .Select(difference => difference.Key).ToList();

    /// <summary>Gives the <c>model</c> section's nulls the architecture's values.</summary>
    /// <returns>A model with the architecture's defaults at that size.</returns>
    internal static ModelConfig ResolveModel(ModelSection section)
    {
        var defaults = ArchitectureRegistry.CreateConfig(
            ArchitectureOf(section),
            vocabSize: 1,       // no default depends on it
            section.HiddenSize,
            section.NumAttentionHeads,
            section.NumHiddenLayers,
            section.MaxPositionEmbeddings,
            section.IntermediateSize);
        Fill(section, defaults);
        return defaults;
    }

    /// <summary>Gives the <c>model</c> section's nulls the values of a model.</summary>
    internal static void Fill(ModelSection section, ModelConfig model)
    {
        section.IntermediateSize ??= model.IntermediateSize;
        section.NumKeyValueHeads ??= model.Attention.KeyValueHeads;
        // Width and heads that make no head are for the model's check to name, not a head size that nobody gave.
        if (model.HiddenSize % (2L * Math.Max(1, model.NumAttentionHeads)) == 0)
            section.HeadDim ??= model.HeadSize;
        section.QkNorm ??= model.QkNorm;
        section.Constraint ??= model.Constraint;
        section.AlphaInit ??= model.Alpha.Init;
        section.AlphaScale ??= model.Alpha.Scale;
        section.LogitScaleInit ??= model.LogitScale.Init;
        section.LogitScaleScale ??= model.LogitScale.Scale;
        section.QkScaleInit ??= model.QkScale.Init;
        section.QkScaleScale ??= model.QkScale.Scale;
        section.MlpScaleInit ??= model.MlpScale.Init;
        section.MlpScaleScale ??= model.MlpScale.Scale;
    }

    /// <summary>The architecture that a <c>model</c> section names, by its own name.</summary>
    /// <exception cref="InvalidInputException">There is none of that name.</exception>
    internal static string ArchitectureOf(ModelSection section)
        => ArchitectureRegistry.GetTrained(section.Architecture, "model.architecture").Name;
}
