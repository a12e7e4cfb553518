namespace AnTransformer.Training.Loop;

/// <summary>What a model that is being trained is asked besides its validation loss.</summary>
public interface ITaskEvaluation
{
    /// <summary>Evaluates a checkpoint.</summary>
    /// <param name="checkpoint">Its directory.</param>
    /// <param name="progress">Receives the share done, in [0, 1].</param>
    /// <param name="stop">Ends the evaluation.</param>
    /// <returns>Figures by name, such as <c>blimp/acc</c>.</returns>
    /// <exception cref="OperationCanceledException">Stopped.</exception>
    IReadOnlyDictionary<string, double> Run(string checkpoint, Action<double> progress, CancellationToken stop);
}
