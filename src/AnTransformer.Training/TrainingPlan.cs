using AnTransformer.Layers;
using AnTransformer.Models;
using AnTransformer.Normalization;
using AnTransformer.Optimization;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Training;

/// <summary>A configuration with every default resolved for its architecture (arXiv 2505.22014) and its vocabulary known.</summary>
/// <param name="Model">The model's shape and normalization.</param>
/// <param name="Adam">The optimizer's constants.</param>
/// <param name="Schedule">The learning rate by step.</param>
/// <param name="Steps">Optimizer steps of the run.</param>
/// <param name="SequencesPerStep">Sequences of T tokens in one optimizer step, over all micro-batches.</param>
public sealed record TrainingPlan(
    ModelConfig Model, AdamOptions Adam, LearningRateSchedule Schedule, long Steps, int SequencesPerStep)
{
    /// <summary>Largest gradient norm; 0 for no clipping.</summary>
    public double GradientClipping => Adam.GradientClipping;

    /// <summary>Tokens in one optimizer step.</summary>
    public long TokensPerStep => (long)SequencesPerStep * Model.MaxPositionEmbeddings;

    /// <summary>Resolves a configuration.</summary>
    /// <param name="configuration">A validated configuration.</param>
    /// <param name="vocabSize">Size of the tokenizer's vocabulary.</param>
    /// <exception cref="InvalidInputException">The model cannot be built, or no number of steps is given.</exception>
    public static TrainingPlan Create(TrainingConfiguration configuration, int vocabSize)
    {
        var model = CreateModelConfig(configuration.Model, vocabSize);
        var training = configuration.Training;
        var sequences = checked(training.BatchSize * training.GradientAccumulation);
        var tokensPerStep = (long)sequences * model.MaxPositionEmbeddings;
        var steps = Math.Min(
            training.Steps ?? long.MaxValue,
            training.MaxTokens is { } tokens ? Math.Max(1, tokens / tokensPerStep) : long.MaxValue);
        if (steps == long.MaxValue)
            throw new InvalidInputException("training.steps or training.max_tokens must be given: nothing else says when the run ends.");

        var optimizer = configuration.Optimizer;
        var defaults = AdamOptions.For(
            model,
            optimizer.Kind == "muon" ? new MuonOptions(optimizer.MuonLearningRate / optimizer.LearningRate, optimizer.MuonMomentum) : null);
        var warmup = configuration.Schedule.WarmupSteps ?? LearningRateSchedule.WarmupFor(model, steps);
        return new TrainingPlan(
            model,
            defaults with
            {
                Beta1 = optimizer.Beta1,
                Beta2 = optimizer.Beta2,
                Epsilon = optimizer.Epsilon,
                WeightDecay = optimizer.WeightDecay ?? defaults.WeightDecay,
                Factors = new LearningRateFactors(
                    optimizer.EmbeddingRate, optimizer.HiddenRate, optimizer.HeadRate, optimizer.ScaleRate,
                    optimizer.WidthExponent ?? defaults.Factors.WidthExponent),
                SpectralClip = optimizer.SpectralClip ?? defaults.SpectralClip,
                GradientClipping = optimizer.GradientClipping ?? defaults.GradientClipping,
            },
            new LearningRateSchedule(
                Enum.Parse<ScheduleKind>(configuration.Schedule.Kind, ignoreCase: true),
                optimizer.LearningRate,
                steps,
                warmup,
                configuration.Schedule.FinalFraction,
                configuration.Schedule.DecayFraction,
                configuration.Schedule.Power),
            steps,
            sequences);
    }

    /// <summary>The model a configuration's <c>model</c> section describes.</summary>
    /// <param name="section">The section.</param>
    /// <param name="vocabSize">Size of the vocabulary.</param>
    /// <exception cref="InvalidInputException">Sizes do not fit together.</exception>
    public static ModelConfig CreateModelConfig(ModelSection section, int vocabSize)
    {
        if (!ArchitectureNames.TryParse(section.Architecture, out var architecture))
        {
            throw new InvalidInputException(
                $"model.architecture '{section.Architecture}' is unknown; it must be one of {string.Join(", ", ArchitectureNames.All)}.");
        }

        var defaults = ModelConfig.Create(
            architecture,
            vocabSize,
            section.HiddenSize,
            section.NumAttentionHeads,
            section.NumHiddenLayers,
            section.MaxPositionEmbeddings,
            section.IntermediateSize);
        var model = defaults with
        {
            RopeTheta = section.RopeTheta,
            QkNorm = section.QkNorm ?? defaults.QkNorm,
            Constraint = section.Constraint is null ? defaults.Constraint : Enum.Parse<RowConstraint>(section.Constraint, ignoreCase: true),
            RmsNormEps = section.RmsNormEps,
            Alpha = new ScaleInit(section.AlphaInit ?? defaults.Alpha.Init, section.AlphaScale ?? defaults.Alpha.Scale),
            LogitScale = new ScaleInit(
                section.LogitScaleInit ?? defaults.LogitScale.Init, section.LogitScaleScale ?? defaults.LogitScale.Scale),
            QkScale = new ScaleInit(section.QkScaleInit ?? defaults.QkScale.Init, section.QkScaleScale ?? defaults.QkScale.Scale),
            MlpScale = new ScaleInit(section.MlpScaleInit ?? defaults.MlpScale.Init, section.MlpScaleScale ?? defaults.MlpScale.Scale),
            Factors = new FactorSwitches(
                section.NuQkv, section.NuO, section.NuUg, section.NuAct, section.NuDown, section.NuAlpha),
        };
        model.Validate("model");
        return model;
    }

    /// <summary>Where and in which precision to compute.</summary>
    /// <param name="section">The <c>training</c> section.</param>
    /// <exception cref="InvalidInputException">CUDA is asked for and not available.</exception>
    public static ModelContext CreateContext(TrainingSection section) => ComputeDevice.Context(section.Device, section.ComputeDtype);
}
