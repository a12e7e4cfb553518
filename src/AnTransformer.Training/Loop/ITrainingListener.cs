using AnTransformer.Training.Runs;

namespace AnTransformer.Training.Loop;

/// <summary>Hears what a run does, for display.</summary>
public interface ITrainingListener
{
    /// <summary>Something of note happens before or between steps.</summary>
    /// <param name="message">One sentence.</param>
    void OnMessage(string message);

    /// <summary>Something is not as it should be, and the run goes on.</summary>
    /// <param name="message">One sentence.</param>
    void OnWarning(string message);

    /// <summary>A task without steps advances, such as tokenizing or evaluating.</summary>
    /// <param name="task">What is done.</param>
    /// <param name="share">Share done in [0, 1].</param>
    /// <param name="detail">Rates and the time left; may be empty.</param>
    void OnProgress(string task, double share, string detail);

    /// <summary>The run is set up.</summary>
    /// <param name="plan">What will be trained.</param>
    /// <param name="state">Where it starts: step 0, or a checkpoint's.</param>
    /// <param name="matmulRate">Matrix-product rate of this machine in FLOP/s.</param>
    void OnStart(TrainingPlan plan, TrainerState state, double matmulRate);

    /// <summary>A step was taken.</summary>
    /// <param name="report">Its figures.</param>
    void OnStep(StepReport report);

    /// <summary>The model was evaluated.</summary>
    /// <param name="step">Steps taken.</param>
    /// <param name="result">The figures.</param>
    /// <param name="isBest">Whether the loss is the lowest so far.</param>
    void OnEvaluation(long step, EvaluationResult result, bool isBest);
}

/// <summary>Figures of one step.</summary>
/// <param name="Step">Steps taken, this one included.</param>
/// <param name="Steps">Steps of the run.</param>
/// <param name="Tokens">Tokens trained on so far.</param>
/// <param name="Loss">Training loss in nats per token.</param>
/// <param name="LearningRate">Learning rate.</param>
/// <param name="GradientNorm">Gradient norm before clipping.</param>
/// <param name="TokensPerSecond">Rate over the last steps.</param>
/// <param name="MatmulFraction">Model FLOP/s as a fraction of the machine's matrix-product rate.</param>
/// <param name="Elapsed">Time trained so far.</param>
/// <param name="Remaining">Expected time to the end.</param>
public sealed record StepReport(
    long Step,
    long Steps,
    long Tokens,
    double Loss,
    double LearningRate,
    double GradientNorm,
    double TokensPerSecond,
    double MatmulFraction,
    TimeSpan Elapsed,
    TimeSpan Remaining);
