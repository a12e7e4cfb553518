using AnTransformer.Studies.Sharing;

namespace AnTransformer.Studies.Running;

/// <summary>Trains one run of a study to its end.</summary>
public interface IRunLauncher
{
    /// <summary>
    /// Trains; blocks until the run has ended. Called from several threads at once when a study has several jobs.
    /// </summary>
    /// <param name="configurationPath">The run's training configuration, a YAML file.</param>
    /// <param name="claim">
    /// The study's right to the run; a launcher whose run can outlive this process's attention looks after it, and ends
    /// the run at once when it is lost.
    /// </param>
    /// <param name="stop">Asks the run to save a checkpoint and end.</param>
    /// <returns>How it ended. A failure of the run is a return value, not an exception.</returns>
    RunExit Launch(string configurationPath, RunClaim claim, CancellationToken stop);
}

/// <summary>How a launched run ended.</summary>
/// <param name="Ending">How.</param>
/// <param name="Message">Why, in one sentence; null for a completed run.</param>
public sealed record RunExit(RunEnding Ending, string? Message = null);
