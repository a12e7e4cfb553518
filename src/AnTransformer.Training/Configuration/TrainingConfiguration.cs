using System.ComponentModel;
using System.Numerics;

namespace AnTransformer.Training.Configuration;

/// <summary>Everything a training run is told. A null field takes the default of the chosen architecture.</summary>
public sealed class TrainingConfiguration : IValidatable
{
    /// <summary>The model.</summary>
    [Description("The model: its architecture, size and normalization.")]
    public ModelSection Model { get; set; } = new();

    /// <summary>What to train on.</summary>
    [Description("What to learn from.")]
    public DataSection Data { get; set; } = new();

    /// <summary>How text becomes tokens.</summary>
    [Description("How text becomes tokens.")]
    public TokenizerSection Tokenizer { get; set; } = new();

    /// <summary>The optimizer.</summary>
    [Description("How weights follow gradients.")]
    public OptimizerSection Optimizer { get; set; } = new();

    /// <summary>The learning rate over time.</summary>
    [Description("The learning rate over the run.")]
    public ScheduleSection Schedule { get; set; } = new();

    /// <summary>Length, batch, device and output of the run.</summary>
    [Description("Length of the run, batch, device and output.")]
    public TrainingSection Training { get; set; } = new();

    /// <summary>Several processes that train one model.</summary>
    [Description("Several processes that train one model.")]
    public DistributedSection Distributed { get; set; } = new();

    /// <summary>Evaluation on the validation split.</summary>
    [Description("Measuring the model on text it does not learn from.")]
    public EvaluationSection Evaluation { get; set; } = new();

    /// <summary>Saving and resuming.</summary>
    [Description("Saving the run and going on with it.")]
    public CheckpointSection Checkpoint { get; set; } = new();

    /// <summary>What is written down on the way.</summary>
    [Description("What is written down on the way.")]
    public LoggingSection Logging { get; set; } = new();

    /// <summary>Looking inside the model on the way.</summary>
    [Description("Looking inside the model on the way: norms of activations and weights, to inspection.jsonl.")]
    public InspectionSection Inspection { get; set; } = new();

    /// <inheritdoc/>
    public IEnumerable<ConfigurationProblem> Validate()
    {
        if (Training.Objective == TrainingObjective.Masked && Model.SlidingWindow is not null)
        {
            yield return new ConfigurationProblem(
                $"model.sliding_window {Model.SlidingWindow} needs causal attention, and training.objective is masked; "
                + "leave out one of the two",
                "model.sliding_window",
                "training.objective");
        }

        if (Schedule.WarmupSteps > Training.Steps)
        {
            yield return new ConfigurationProblem(
                $"schedule.warmup_steps {Schedule.WarmupSteps} exceeds training.steps {Training.Steps}; choose fewer",
                "schedule.warmup_steps",
                "training.steps");
        }

        foreach (var (key, interval) in ((string Key, long Interval)[])
            [("evaluation.interval", Evaluation.Interval), ("evaluation.task_interval", Evaluation.TaskInterval),
                ("checkpoint.interval", Checkpoint.Interval)])
        {
            if (interval % Distributed.SyncEvery != 0)
            {
                yield return new ConfigurationProblem(
                    $"{key} {interval} is no multiple of distributed.sync_every {Distributed.SyncEvery}, and only "
                        + "there processes have one model; choose a multiple",
                    key,
                    "distributed.sync_every");
            }
        }

        if (Distributed.Deterministic && !BitOperations.IsPow2(Training.GradientAccumulation))
        {
            yield return new ConfigurationProblem(
                "distributed.deterministic sums micro-batches in one binary tree, which needs a power of two of "
                    + "them, and "
                    + $"training.gradient_accumulation is {Training.GradientAccumulation}; choose 1, 2, 4, 8 ...",
                "distributed.deterministic",
                "training.gradient_accumulation");
        }
    }
}
