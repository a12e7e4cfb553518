namespace AnTransformer.Training.Configuration;

/// <summary>Everything a training run is told. A null field takes the default of the chosen architecture.</summary>
public sealed class TrainingConfiguration : IValidatable
{
    /// <summary>The model.</summary>
    public ModelSection Model { get; set; } = new();

    /// <summary>What to train on.</summary>
    public DataSection Data { get; set; } = new();

    /// <summary>How text becomes tokens.</summary>
    public TokenizerSection Tokenizer { get; set; } = new();

    /// <summary>The optimizer.</summary>
    public OptimizerSection Optimizer { get; set; } = new();

    /// <summary>The learning rate over time.</summary>
    public ScheduleSection Schedule { get; set; } = new();

    /// <summary>Length, batch, device and output of the run.</summary>
    public TrainingSection Training { get; set; } = new();

    /// <summary>Evaluation on the validation split.</summary>
    public EvaluationSection Evaluation { get; set; } = new();

    /// <summary>Saving and resuming.</summary>
    public CheckpointSection Checkpoint { get; set; } = new();

    /// <summary>What is written down on the way.</summary>
    public LoggingSection Logging { get; set; } = new();

    /// <inheritdoc/>
    public void Validate(string place)
    {
        // The vocabulary is not known yet; any positive size serves to check the others.
        try
        {
            TrainingPlan.CreateModelConfig(Model, vocabSize: 1);
        }
        catch (InvalidInputException e)
        {
            throw new InvalidInputException($"{place}: {e.Message}", e);
        }

        if (Training is { Steps: null, MaxTokens: null })
            throw new InvalidInputException($"{place}: training.steps or training.max_tokens must be given; the schedule needs to know where the run ends.");
        if (Tokenizer is { Kind: "file", Path: null })
            throw new InvalidInputException($"{place}: tokenizer.path must be given when tokenizer.kind is file.");
        if (string.IsNullOrWhiteSpace(Data.Path))
            throw new InvalidInputException($"{place}: data.path must name a directory for token shards.");
        if (string.IsNullOrWhiteSpace(Training.Output))
            throw new InvalidInputException($"{place}: training.output must name a directory for the run.");
    }
}
