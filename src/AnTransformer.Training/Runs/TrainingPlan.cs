using AnTransformer.Configuration;
using AnTransformer.Operators;
using AnTransformer.Optimization;
using AnTransformer.Training.Configuration;
using AnTransformer.Training.Devices;

namespace AnTransformer.Training.Runs;

/// <summary>
/// A configuration with every default resolved for its architecture (arXiv 2505.22014) and its vocabulary known.
/// </summary>
/// <param name="Model">The model's shape and normalization.</param>
/// <param name="Optimizer">The optimizer's rule and constants.</param>
/// <param name="Schedule">The learning rate by step.</param>
/// <param name="Steps">Optimizer steps of the run.</param>
/// <param name="SequencesPerStep">Sequences of T tokens in one optimizer step, over all micro-batches.</param>
public sealed record TrainingPlan(
    ModelConfig Model, OptimizerSettings Optimizer, LearningRateSchedule Schedule, long Steps, int SequencesPerStep)
{
    /// <summary>Largest gradient norm; 0 for no clipping.</summary>
    public double GradientClipping => Optimizer.GradientClipping;

    /// <summary>Tokens in one optimizer step.</summary>
    public long TokensPerStep => (long)SequencesPerStep * Model.MaxPositionEmbeddings;

    /// <summary>Resolves a configuration.</summary>
    /// <param name="configuration">A validated configuration.</param>
    /// <param name="vocabSize">Size of the tokenizer's vocabulary.</param>
    /// <exception cref="InvalidInputException">The model cannot be built, or no number of steps is given.</exception>
    public static TrainingPlan Create(TrainingConfiguration configuration, int vocabSize)
    {
        var resolved = ResolvedConfiguration.Of(configuration);
        var (optimizer, schedule) = (resolved.Optimizer, resolved.Schedule);
        var steps = StepsOf(resolved);
        return new TrainingPlan(
            CreateModelConfig(resolved, vocabSize),
            new OptimizerSettings
            {
                Rule = UpdateRuleRegistry.Get(optimizer.Kind, "optimizer.kind").With(new RuleSettings(
                    optimizer.Beta1, optimizer.Beta2, optimizer.Epsilon,
                    optimizer.MuonLearningRate / optimizer.LearningRate, optimizer.MuonMomentum)),
                WeightDecay = optimizer.WeightDecay!.Value,
                Factors = new LearningRateFactors(
                    optimizer.EmbeddingRate, optimizer.HiddenRate, optimizer.HeadRate, optimizer.ScaleRate,
                    optimizer.WidthExponent!.Value),
                SpectralClip = optimizer.SpectralClip!.Value,
                GradientClipping = optimizer.GradientClipping!.Value,
            },
            new LearningRateSchedule(
                schedule.Kind,
                optimizer.LearningRate,
                steps,
                schedule.WarmupSteps!.Value,
                schedule.FinalFraction,
                schedule.DecayFraction,
                schedule.Power),
            steps,
            SequencesPerStepOf(resolved.Training));
    }

    /// <summary>The model a configuration describes, with what its objective makes of it.</summary>
    /// <param name="configuration">The configuration.</param>
    /// <param name="vocabSize">Size of the tokenizer's vocabulary; a masked language model has one entry more.</param>
    /// <exception cref="InvalidInputException">Sizes do not fit together.</exception>
    public static ModelConfig CreateModelConfig(TrainingConfiguration configuration, int vocabSize)
    {
        var model = CreateModelConfig(configuration.Model, vocabSize);
        if (configuration.Training.Objective == TrainingObjective.Causal)
            return model;
        model = model with
        {
            IsCausal = false,
            VocabSize = checked(vocabSize + 1),
            Masking = new TokenMasking(vocabSize, configuration.Training.MaskProbability),
        };
        model.Validate("model");
        return model;
    }

    /// <summary>The causal model a configuration's <c>model</c> section describes.</summary>
    /// <param name="section">The section.</param>
    /// <param name="vocabSize">Size of the vocabulary.</param>
    /// <exception cref="InvalidInputException">Sizes do not fit together.</exception>
    public static ModelConfig CreateModelConfig(ModelSection section, int vocabSize)
    {
        var resolved = ConfigurationBinder.Copy(section);
        ResolvedConfiguration.ResolveModel(resolved);
        var model = new ModelConfig
        {
            Architecture = ResolvedConfiguration.ArchitectureOf(resolved),
            VocabSize = vocabSize,
            HiddenSize = resolved.HiddenSize,
            NumAttentionHeads = resolved.NumAttentionHeads,
            NumKeyValueHeads = resolved.NumKeyValueHeads,
            HeadDim = resolved.HeadDim,
            SlidingWindow = resolved.SlidingWindow,
            TieWordEmbeddings = resolved.TieWordEmbeddings,
            NumHiddenLayers = resolved.NumHiddenLayers,
            IntermediateSize = resolved.IntermediateSize!.Value,
            MaxPositionEmbeddings = resolved.MaxPositionEmbeddings,
            RopeTheta = resolved.RopeTheta,
            QkNorm = resolved.QkNorm!.Value,
            Constraint = resolved.Constraint!.Value,
            RmsNormEps = resolved.RmsNormEps,
            Alpha = new ScaleInit(resolved.AlphaInit!.Value, resolved.AlphaScale!.Value),
            LogitScale = new ScaleInit(resolved.LogitScaleInit!.Value, resolved.LogitScaleScale!.Value),
            QkScale = new ScaleInit(resolved.QkScaleInit!.Value, resolved.QkScaleScale!.Value),
            MlpScale = new ScaleInit(resolved.MlpScaleInit!.Value, resolved.MlpScaleScale!.Value),
            Factors = new FactorSwitches(
                resolved.NuQkv, resolved.NuO, resolved.NuUg, resolved.NuAct, resolved.NuDown, resolved.NuAlpha),
        };
        model.Validate("model");
        return model;
    }

    /// <summary>Steps of a run: the smaller one of its two budgets.</summary>
    /// <exception cref="InvalidInputException">It has neither.</exception>
    internal static long StepsOf(TrainingConfiguration configuration)
    {
        var training = configuration.Training;
        var tokensPerStep = (long)SequencesPerStepOf(training) * configuration.Model.MaxPositionEmbeddings;
        var steps = Math.Min(
            training.Steps ?? long.MaxValue,
            training.MaxTokens is { } tokens ? Math.Max(1, tokens / tokensPerStep) : long.MaxValue);
        return steps < long.MaxValue
            ? steps
            : throw new InvalidInputException(
                "training.steps or training.max_tokens must be given: nothing else says when the run ends.");
    }

    /// <summary>Where and in which precision to compute.</summary>
    /// <param name="section">The <c>training</c> section.</param>
    /// <exception cref="InvalidInputException">CUDA is asked for and not available.</exception>
    public static ModelContext CreateContext(TrainingSection section)
        => ComputeDevice.Context(section.Device, section.ComputeDtype);

    private static int SequencesPerStepOf(TrainingSection training)
        => checked(training.BatchSize * training.GradientAccumulation);
}
