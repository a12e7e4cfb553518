namespace AnTransformer.Studies.Running;

/// <summary>Trains one run of a study to its end.</summary>
public interface IRunLauncher
{
    /// <summary>
    /// Trains; blocks until the run has ended. Called from several threads at once when a study has several jobs.
    /// </summary>
    /// <param name="configurationPath">The run's training configuration, a YAML file.</param>
    /// <param name="stop">Asks the run to save a checkpoint and end.</param>
    /// <returns>How it ended. A failure of the run is a return value, not an exception.</returns>
    RunExit Launch(string configurationPath, CancellationToken stop);
}

/// <summary>How a launched run ended.</summary>
/// <param name="Ending">How.</param>
/// <param name="Message">Why, in one sentence; null for a completed run.</param>
public sealed record RunExit(RunEnding Ending, string? Message = null);
