using AnTransformer.Training.Loop;

namespace AnTransformer.Training.Runs;

/// <summary>How a run ended.</summary>
public enum TrainingStatus
{
    /// <summary>All steps taken, or the time budget used up.</summary>
    Completed,

    /// <summary>Stopped on request; a checkpoint was saved and the run can be resumed.</summary>
    Stopped,

    /// <summary>The loss diverged; nothing was saved after the last good checkpoint.</summary>
    Diverged,
}

/// <summary>The end of a run.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="State">Where it ended.</param>
/// <param name="Evaluation">The last evaluation; null when it did not come to one.</param>
/// <param name="Checkpoint">
/// The newest checkpoint (for a diverged run the last good one); null when there is none.
/// </param>
/// <param name="Reason">Why a run was stopped or lost; null for a completed one.</param>
/// <param name="Sample">Text drawn from the trained model; null when none was asked for.</param>
/// <param name="PlotPath">The loss plot (PNG); null when none was drawn.</param>
/// <param name="TokensPerSecond">Mean rate over this session's steps.</param>
public sealed record TrainingOutcome(
    TrainingStatus Status,
    TrainerState State,
    EvaluationResult? Evaluation,
    string? Checkpoint,
    string? Reason,
    string? Sample,
    string? PlotPath,
    double TokensPerSecond);
