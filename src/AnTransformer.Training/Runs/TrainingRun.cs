using System.Text;
using AnTransformer.Distributed;
using AnTransformer.Generation;
using AnTransformer.Training.Configuration;
using AnTransformer.Training.Data;
using AnTransformer.Training.Loop;
using AnTransformer.Training.Metrics;

namespace AnTransformer.Training.Runs;

/// <summary>A whole run from a configuration: data, training, a sample of text and the loss plot.</summary>
public static class TrainingRun
{
    private static readonly SamplingOptions SampleOptions = new(Temperature: 0.8, TopK: 50);

    /// <summary>Runs.</summary>
    /// <param name="configuration">A validated configuration.</param>
    /// <param name="listener">Hears what happens.</param>
    /// <param name="stop">Ends the run after the step under way; a checkpoint is saved.</param>
    /// <param name="further">
    /// Whether a run in the output directory may be trained to another number of steps than it was begun with. The
    /// learning rate of each step is that of the schedule over the new number, so that the whole equals a run of that
    /// length from the beginning, bit for bit, where the schedule of the steps already taken does not depend on the
    /// length: constant, and wsd before it goes down.
    /// </param>
    /// <param name="group">
    /// Processes that train the model together, each of which calls this; null for one alone. Rank 0 writes, and its
    /// listener is to speak. Not owned.
    /// </param>
    /// <param name="tasks">What the model is asked at evaluation.task_interval; null for nothing. Rank 0's.</param>
    /// <exception cref="InvalidInputException">Something given cannot be used; nothing earlier is lost.</exception>
    /// <exception cref="OperationCanceledException">Stopped before training began.</exception>
    public static TrainingOutcome Run(
        TrainingConfiguration configuration, ITrainingListener listener, CancellationToken stop, bool further = false,
        ProcessGroup? group = null, ITaskEvaluation? tasks = null)
    {
        group ??= ProcessGroup.Single;
        var isFirst = group.Rank == 0;
        using var run = isFirst ? RunDirectory.Open(configuration.Training.Output) : null;
        // Of several processes each would choose matrix products for itself.
        using var warmUp = group.Size == 1 && !TrainingData.WouldPrepare(configuration)
            ? WarmUp.Start(configuration)
            : null;
        // Text is prepared once; the others find what the first has made.
        if (!isFirst)
            group.Barrier();
        using var data = TrainingData.Open(configuration, listener, stop);
        if (isFirst)
            group.Barrier();
        warmUp?.Dispose();
        using var trainer = new Trainer(configuration, data, run, listener, further, group, tasks);
        if (trainer.Model.Config.Masking is not null && configuration.Evaluation.SamplePrompt is not null)
            listener.OnMessage("no sample is drawn: a masked language model does not continue text");
        var outcome = trainer.Run(stop);
        return run is null ? outcome : outcome with
        {
            Sample = outcome.Status == TrainingStatus.Completed ? DrawSample(configuration, data, trainer) : null,
            PlotPath = configuration.Logging.Plot ? DrawPlot(configuration, run) : null,
        };
    }

    private static string? DrawSample(TrainingConfiguration configuration, TrainingData data, Trainer trainer)
    {
        if (trainer.Model.Config.Masking is not null || configuration.Evaluation.SamplePrompt is not { } prompt
            || data.Tokenizer is not { } tokenizer)
            return null;
        var ids = tokenizer.Encode(prompt);
        if (ids.Count == 0)
            return null;
        var drawn = new TextGenerator(trainer.Model).Generate(
            ids, configuration.Evaluation.SampleTokens, SampleOptions, usableIds: tokenizer.VocabularySize);
        return new StringBuilder(prompt).Append(tokenizer.Decode(drawn)).ToString();
    }

    private static string? DrawPlot(TrainingConfiguration configuration, RunDirectory run)
    {
        var records = MetricsLog.Read(run.Metrics);
        if (records.Count == 0)
            return null;
        var model = configuration.Model;
        LossPlot.Save(
            run.Plot, records, $"{model.Architecture}, d = {model.HiddenSize}, L = {model.NumHiddenLayers}");
        return run.Plot + ".png";
    }
}
