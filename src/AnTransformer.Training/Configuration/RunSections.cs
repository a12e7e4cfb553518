using System.ComponentModel;
using System.Text.RegularExpressions;
using AnTransformer.Configuration;
using AnTransformer.Training.Devices;

namespace AnTransformer.Training.Configuration;

/// <summary>The <c>training</c> section.</summary>
public sealed partial class TrainingSection : IValidatable
{
    internal const string DevicePattern = @"^(cpu|cuda(:[0-9]{1,3})?)$";

    /// <summary>Steps.</summary>
    [Description("Optimizer steps of the run; null when max_tokens says how long it is. When both are given the "
        + "smaller one "
        + "counts.")]
    [Positive]
    public long? Steps { get; set; }

    /// <summary>Token budget.</summary>
    [Description("Tokens to train on, counted with repetition; null for no such budget.")]
    [Positive]
    public long? MaxTokens { get; set; }

    /// <summary>Time budget.</summary>
    [Description(
        "Minutes after which the run ends early, with a checkpoint and an evaluation; null for no such budget.")]
    [Positive]
    [MayChangeOnResume]
    public double? MaxMinutes { get; set; }

    /// <summary>Sequences per micro-batch.</summary>
    [Description("Sequences that go through the model at once.")]
    [InRange(1, 1 << 20)]
    public int BatchSize { get; set; } = 16;

    /// <summary>Micro-batches per step.</summary>
    [Description("Batches whose gradients are added up for one optimizer step; more of them simulate a larger batch in "
        + "the "
        + "same memory.")]
    [InRange(1, 1 << 20)]
    public int GradientAccumulation { get; set; } = 1;

    /// <summary>causal or masked.</summary>
    [Description("What the model learns: causal (each token from those before it, as GPT) or masked (some tokens from "
        + "all "
        + "others, as BERT: attention to both sides, and one vocabulary entry more, <mask>; it measures, and does not "
        + "generate).")]
    public TrainingObjective Objective { get; set; }

    /// <summary>Share of tokens predicted.</summary>
    [Description("Share of a sequence's tokens that are predicted when objective is masked, in training and "
        + "evaluation; of "
        + "these 80 % are <mask> in the input, 10 % any token, 10 % themselves.")]
    [InRange(0.001, 0.999)]
    public double MaskProbability { get; set; } = TokenMasking.DefaultProbability;

    /// <summary>Starting weights.</summary>
    [Description("Checkpoint (or run directory: its best checkpoint) whose weights a new run starts with, of the same "
        + "model and tokenizer; "
        + "optimizer, learning rate, data order and steps begin anew. null to start with random weights. To go on with "
        + "a run, give "
        + "its directory in place of the configuration.")]
    public string? From { get; set; }

    /// <summary>Seed.</summary>
    [Description("Seed of the initial weights and of the order of the data; the same seed gives the same run.")]
    [NotNegative]
    public long Seed { get; set; }

    /// <summary>Device.</summary>
    [Description("Where to compute: cpu, cuda, or cuda:1 for the second GPU and so on.")]
    [MayChangeOnResume]
    [Matches(DevicePattern)]
    public string Device { get; set; } = "cpu";

    /// <summary>Compute dtype.</summary>
    [Description(
        "Precision of matrix products and attention; weights, optimizer state and reductions are fp32 always. On a CPU "
        + "bf16 is used only where it is measured to be faster.")]
    public ComputeDtype ComputeDtype { get; set; }

    /// <summary>Threads.</summary>
    [Description("CPU threads to compute with; 0 for all.")]
    [InRange(0, 4096)]
    [MayChangeOnResume]
    public int Threads { get; set; }

    /// <summary>Divergence factor.</summary>
    [Description("The run is given up when its training loss, smoothed over about 20 steps, exceeds this many times "
        + "the lowest "
        + "smoothed loss so far; 0 to never do so. A loss or gradient that is not a finite number always ends the "
        + "run.")]
    [NotNegative]
    [MayChangeOnResume]
    public double DivergenceFactor { get; set; } = 2;

    /// <summary>Run directory.</summary>
    [Description("Directory of the run: checkpoints, metrics, plots.")]
    [MayChangeOnResume]
    public string Output { get; set; } = "runs/default";

    /// <inheritdoc/>
    public IEnumerable<ConfigurationProblem> Validate()
    {
        if (Steps is null && MaxTokens is null)
        {
            yield return new ConfigurationProblem(
                "training.steps or training.max_tokens must be given; nothing else says where the learning-rate "
                    + "schedule ends",
                "steps",
                "max_tokens");
        }

        if (From is not null && string.IsNullOrWhiteSpace(From))
            yield return new ConfigurationProblem("training.from must name a checkpoint or a run, or be null", "from");
        if (!IsDevice(Device))
            yield return new ConfigurationProblem(
                $"training.device must be cpu, cuda or cuda:N, not '{Printable.Excerpt(Device)}'", "device");
        if (string.IsNullOrWhiteSpace(Output))
            yield return new ConfigurationProblem("training.output must name a directory for the run", "output");
        if ((long)BatchSize * GradientAccumulation > int.MaxValue)
        {
            yield return new ConfigurationProblem(
                $"training.batch_size {BatchSize} times training.gradient_accumulation {GradientAccumulation} exceeds "
                + $"{int.MaxValue} sequences in a step; choose smaller ones",
                "batch_size",
                "gradient_accumulation");
        }
    }

    /// <summary>Whether a text has the form of a device: cpu, cuda or cuda:N.</summary>
    /// <param name="name">The text.</param>
    public static bool IsDevice(string name)
        // $ matches before a line feed, too
        => DeviceName().Match(name) is { Success: true } match && match.Length == name.Length;

    [GeneratedRegex(DevicePattern, RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, Timeout.Infinite)]
    private static partial Regex DeviceName();
}

/// <summary>The <c>evaluation</c> section.</summary>
public sealed class EvaluationSection : IValidatable
{
    /// <summary>Steps between evaluations.</summary>
    [Description("Steps between evaluations on the validation data, each with a checkpoint before it; 0 for one at the "
        + "end "
        + "only.")]
    [NotNegative]
    [MayChangeOnResume]
    public long Interval { get; set; } = 100;

    /// <summary>Batches.</summary>
    [Description("Validation batches per evaluation, the same ones each time; 0 for all.")]
    [NotNegative]
    [MayChangeOnResume]
    public int Batches { get; set; }

    /// <summary>Tasks.</summary>
    [Description("Tasks that the model is asked: blimp, hellaswag, arc_easy, arc_challenge, piqa, winogrande, lambada, "
        + "or paths of descriptions (.yaml); see angpt eval --tasks.")]
    [MayChangeOnResume]
    public List<string> Tasks { get; set; } = [];

    /// <summary>Their files.</summary>
    [Description("Directory with the files of these sets, as they are published.")]
    [MayChangeOnResume]
    public string? TaskData { get; set; }

    /// <summary>Steps between tasks.</summary>
    [Description("Steps between evaluations of tasks, each with a checkpoint before it; 0 for one at the end only.")]
    [NotNegative]
    [MayChangeOnResume]
    public long TaskInterval { get; set; }

    /// <summary>Questions.</summary>
    [Description("Questions of each task, or of each paradigm of blimp, the first ones; 0 for all.")]
    [InRange(0, int.MaxValue)]
    [MayChangeOnResume]
    public int TaskLimit { get; set; }

    /// <summary>Prompt.</summary>
    [Description("Text that the trained model goes on with at the end of the run; null for none.")]
    [MayChangeOnResume]
    public string? SamplePrompt { get; set; }

    /// <summary>Sample length.</summary>
    [Description("Length of that sample in tokens.")]
    [InRange(1, 1 << 20)]
    [MayChangeOnResume]
    public int SampleTokens { get; set; } = 120;

    /// <inheritdoc/>
    public IEnumerable<ConfigurationProblem> Validate()
    {
        if (Tasks.Count > 0 && string.IsNullOrWhiteSpace(TaskData))
        {
            yield return new ConfigurationProblem(
                "evaluation.task_data must name the directory with the files of evaluation.tasks", "task_data");
        }
    }
}

/// <summary>The <c>checkpoint</c> section.</summary>
public sealed class CheckpointSection : IValidatable
{
    /// <summary>Steps between checkpoints.</summary>
    [Description("Steps between checkpoints; 0 to save at evaluations and at the end only.")]
    [NotNegative]
    [MayChangeOnResume]
    public long Interval { get; set; }

    /// <summary>Checkpoints kept.</summary>
    [Description("How many of the newest checkpoints to keep; the best one is kept besides.")]
    [InRange(1, 1_000_000)]
    [MayChangeOnResume]
    public int KeepLast { get; set; } = 2;

    /// <summary>auto, never or a path.</summary>
    [Description("auto goes on from the newest checkpoint in `training.output`, and starts anew if there is none; "
        + "never starts "
        + "anew, in an unused directory only; a path names the checkpoint or run to go on from.")]
    [MayChangeOnResume]
    public string Resume { get; set; } = "auto";

    /// <inheritdoc/>
    public IEnumerable<ConfigurationProblem> Validate()
    {
        if (string.IsNullOrWhiteSpace(Resume))
            yield return new ConfigurationProblem(
                "checkpoint.resume must be auto, never or a checkpoint's path", "resume");
    }
}

/// <summary>The <c>logging</c> section.</summary>
public sealed class LoggingSection
{
    /// <summary>Steps between records.</summary>
    [Description("Steps between lines on the screen and in metrics.jsonl and TensorBoard; 0 for evaluations only.")]
    [NotNegative]
    [MayChangeOnResume]
    public long Interval { get; set; } = 10;

    /// <summary>TensorBoard.</summary>
    [Description("Whether to write event files for TensorBoard.")]
    [MayChangeOnResume]
    public bool Tensorboard { get; set; } = true;

    /// <summary>Plot.</summary>
    [Description("Whether to draw the loss curve as PNG and SVG at the end.")]
    [MayChangeOnResume]
    public bool Plot { get; set; } = true;
}
