using AnTransformer.Training.Runs;

namespace AnTransformer.Training.Loop;

/// <summary>Hears everything and says nothing, for example of a process where rank 0 speaks for all.</summary>
public sealed class SilentListener : ITrainingListener
{
    /// <inheritdoc/>
    public void OnMessage(string message)
    {
    }

    /// <inheritdoc/>
    public void OnWarning(string message)
    {
    }

    /// <inheritdoc/>
    public void OnProgress(string task, double share, string detail)
    {
    }

    /// <inheritdoc/>
    public void OnStart(TrainingPlan plan, TrainerState state, double matmulRate)
    {
    }

    /// <inheritdoc/>
    public void OnStep(StepReport report)
    {
    }

    /// <inheritdoc/>
    public void OnEvaluation(long step, EvaluationResult result, bool isBest)
    {
    }
}
