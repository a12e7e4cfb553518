using AnTransformer.Studies.Sharing;
using AnTransformer.Training.Configuration;
using AnTransformer.Training.Loop;
using AnTransformer.Training.Runs;

namespace AnTransformer.Studies.Running;

/// <summary>
/// Trains runs in this process, for programs that use the library. LibTorch's threads and random generator are the
/// process's, so a study should have one job.
/// </summary>
/// <param name="listener">Hears what the runs do.</param>
public sealed class InProcessLauncher(ITrainingListener listener) : IRunLauncher
{
    /// <inheritdoc/>
    public RunExit Launch(string configurationPath, RunClaim claim, CancellationToken stop)
    {
        try
        {
            var configuration = ConfigurationBinder.Load<TrainingConfiguration>(configurationPath, []);
            var outcome = TrainingRun.Run(configuration, listener, stop);
            return new RunExit(
                outcome.Status switch
                {
                    TrainingStatus.Completed => RunEnding.Completed,
                    TrainingStatus.Diverged => RunEnding.Diverged,
                    _ => RunEnding.Stopped,
                },
                outcome.Reason);
        }
        catch (InvalidInputException e)
        {
            return new RunExit(RunEnding.Failed, e.Message);
        }
        catch (OperationCanceledException)
        {
            return new RunExit(RunEnding.Stopped, "stopped on request");
        }
    }
}
