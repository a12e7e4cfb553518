using System.ComponentModel;

namespace AnTransformer.Training.Configuration;

/// <summary>The <c>training</c> section.</summary>
public sealed class TrainingSection
{
    /// <summary>Steps.</summary>
    [Description("Optimizer steps; null when max_tokens says it. The smaller of the two counts.")]
    [InRange(1, 1e15)]
    public long? Steps { get; set; }

    /// <summary>Token budget.</summary>
    [Description("Token budget; null for none.")]
    [InRange(1, 1e18)]
    public long? MaxTokens { get; set; }

    /// <summary>Time budget.</summary>
    [Description("Time budget in minutes of training; the run ends early, saved and evaluated; null for none.")]
    [InRange(0, 1e9)]
    [MayChangeOnResume]
    public double? MaxMinutes { get; set; }

    /// <summary>Sequences per micro-batch.</summary>
    [Description("Sequences in one forward and backward pass.")]
    [InRange(1, 1 << 20)]
    public int BatchSize { get; set; } = 16;

    /// <summary>Micro-batches per step.</summary>
    [Description("Forward and backward passes per optimizer step.")]
    [InRange(1, 1 << 20)]
    public int GradientAccumulation { get; set; } = 1;

    /// <summary>Seed.</summary>
    [Description("Seed of initialization and data order.")]
    [InRange(0, 1L << 53)]
    public long Seed { get; set; }

    /// <summary>Device.</summary>
    [Description("cpu, cuda or cuda:N.")]
    [MayChangeOnResume]
    public string Device { get; set; } = "cpu";

    /// <summary>Compute dtype.</summary>
    [Description("Precision of matrix products and attention; weights, optimizer and reductions are fp32 always.")]
    [OneOf("fp32", "bf16")]
    public string ComputeDtype { get; set; } = "fp32";

    /// <summary>Threads.</summary>
    [Description("CPU threads; 0 for all.")]
    [InRange(0, 4096)]
    [MayChangeOnResume]
    public int Threads { get; set; }

    /// <summary>Divergence factor.</summary>
    [Description("The run is given up when the loss, smoothed over about 20 steps, exceeds this many times its lowest value; 0 for never. A loss that is not a number always ends it.")]
    [InRange(0, 1e9)]
    [MayChangeOnResume]
    public double DivergenceFactor { get; set; } = 2;

    /// <summary>Run directory.</summary>
    [Description("Directory of the run: checkpoints, metrics, plots. A second run in it resumes the first.")]
    [MayChangeOnResume]
    public string Output { get; set; } = "runs/default";
}

/// <summary>The <c>evaluation</c> section.</summary>
public sealed class EvaluationSection
{
    /// <summary>Steps between evaluations.</summary>
    [Description("Steps between evaluations, each preceded by a checkpoint; 0 for one at the end only.")]
    [InRange(0, 1e15)]
    [MayChangeOnResume]
    public long Interval { get; set; } = 100;

    /// <summary>Batches.</summary>
    [Description("Validation batches per evaluation, always the same ones; 0 for all.")]
    [InRange(0, int.MaxValue)]
    [MayChangeOnResume]
    public int Batches { get; set; }

    /// <summary>Prompt.</summary>
    [Description("Text that the trained model continues at the end; null for none.")]
    [MayChangeOnResume]
    public string? SamplePrompt { get; set; }

    /// <summary>Sample length.</summary>
    [Description("Tokens of that sample.")]
    [InRange(1, 1 << 20)]
    [MayChangeOnResume]
    public int SampleTokens { get; set; } = 120;
}

/// <summary>The <c>checkpoint</c> section.</summary>
public sealed class CheckpointSection
{
    /// <summary>Steps between checkpoints.</summary>
    [Description("Steps between checkpoints; 0 to save at evaluations and at the end only.")]
    [InRange(0, 1e15)]
    [MayChangeOnResume]
    public long Interval { get; set; }

    /// <summary>Checkpoints kept.</summary>
    [Description("How many of the newest checkpoints to keep; the best is kept besides.")]
    [InRange(1, 1_000_000)]
    [MayChangeOnResume]
    public int KeepLast { get; set; } = 2;

    /// <summary>auto, never or a path.</summary>
    [Description("auto goes on from the newest checkpoint in `training.output` if there is one, never starts anew in an unused directory, a path names a checkpoint or run to go on from.")]
    [MayChangeOnResume]
    public string Resume { get; set; } = "auto";
}

/// <summary>The <c>logging</c> section.</summary>
public sealed class LoggingSection
{
    /// <summary>Steps between records.</summary>
    [Description("Steps between records in metrics.jsonl and TensorBoard; 0 for evaluations only.")]
    [InRange(0, 1e15)]
    [MayChangeOnResume]
    public long Interval { get; set; } = 10;

    /// <summary>TensorBoard.</summary>
    [Description("Whether to write TensorBoard event files.")]
    [MayChangeOnResume]
    public bool Tensorboard { get; set; } = true;

    /// <summary>Plot.</summary>
    [Description("Whether to draw the loss curve (PNG and SVG) at the end.")]
    [MayChangeOnResume]
    public bool Plot { get; set; } = true;
}
