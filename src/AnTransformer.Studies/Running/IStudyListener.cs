using AnTransformer.Training.Loop;

namespace AnTransformer.Studies.Running;

/// <summary>Hears what a study does, for display.</summary>
public interface IStudyListener
{
    /// <summary>Something of note happens.</summary>
    /// <param name="message">One sentence.</param>
    void OnMessage(string message);

    /// <summary>Something is not as it should be, and the study goes on.</summary>
    /// <param name="message">One sentence.</param>
    void OnWarning(string message);

    /// <summary>A run has ended in this session.</summary>
    /// <param name="run">The run.</param>
    /// <param name="result">Its result; null when it failed or was stopped.</param>
    /// <param name="exit">How it ended.</param>
    void OnRunEnded(PlannedRun run, RunResult? result, RunExit exit);

    /// <summary>About once a second, and after every run.</summary>
    /// <param name="progress">Where the study stands.</param>
    void OnProgress(StudyProgress progress);

    /// <summary>Hears of the preparation of data.</summary>
    ITrainingListener Preparation { get; }
}

/// <summary>Where a study stands.</summary>
/// <param name="Done">Runs with a result.</param>
/// <param name="Total">Runs known or expected.</param>
/// <param name="Share">Share of the work that is done, by floating-point operations, in [0, 1].</param>
/// <param name="Remaining">Expected time to the end; null while no rate is known.</param>
/// <param name="Current">Runs under way.</param>
public sealed record StudyProgress(
    int Done, int Total, double Share, TimeSpan? Remaining, IReadOnlyList<CurrentRun> Current);

/// <summary>A run under way.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Step">Steps on record.</param>
/// <param name="Steps">Steps of the run.</param>
/// <param name="Loss">The training loss last recorded in nats per token; null before the first.</param>
public sealed record CurrentRun(string Name, long Step, long Steps, double? Loss);
