using AnTransformer.Evaluation;
using AnTransformer.Evaluation.Results;
using AnTransformer.Inference;
using AnTransformer.Training.Configuration;
using AnTransformer.Training.Loop;

namespace AnTransformer.Cli;

/// <summary>Tasks of a run: its checkpoints are read by own kernels, as <c>angpt eval --tasks</c> reads them.</summary>
/// <param name="tasks">The questions.</param>
/// <param name="threads">CPU threads to compute with; 0 for all.</param>
internal sealed class TrainingTasks(TaskEvaluation tasks, int threads) : ITaskEvaluation
{
    /// <summary>A run's tasks; null where it has none.</summary>
    /// <param name="configuration">The run's configuration.</param>
    /// <exception cref="InvalidInputException">A task is unknown, or its files cannot be used.</exception>
    public static TrainingTasks? Of(TrainingConfiguration configuration)
    {
        var evaluation = configuration.Evaluation;
        if (evaluation.Tasks.Count == 0)
            return null;
        if (configuration.Training.Objective != TrainingObjective.Causal)
            throw new InvalidInputException(
                "evaluation.tasks needs a model that gives a text a probability; leave it out where training.objective "
                    + "is masked.");
        return new TrainingTasks(
            TaskEvaluation.Open(evaluation.Tasks, evaluation.TaskData!, evaluation.TaskLimit),
            configuration.Training.Threads);
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, double> Run(string checkpoint, Action<double> progress, CancellationToken stop)
    {
        var tokenizer = CheckpointPath.RequiredTokenizer(checkpoint);
        using var model = InferenceModel.Load(checkpoint, new InferenceOptions(WeightDtype.F32, threads));
        return tasks.Run(model, tokenizer, (_, share) => progress(share), stop)
            .SelectMany(result => (TaskResult[])[result, .. result.Parts])
            .SelectMany(result => result.Metrics.Select(metric => ($"{result.Name}/{metric.Name}", metric.Value)))
            .ToDictionary();
    }
}
