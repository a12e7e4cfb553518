namespace AnTransformer.Training.Data.Preparation;

/// <summary>
/// Reports progress by a call on the reporting thread; <see cref="Progress{T}"/> would reorder reports over the thread
/// pool.
/// </summary>
/// <typeparam name="T">What is reported.</typeparam>
/// <param name="report">Receives it.</param>
public sealed class ProgressTo<T>(Action<T> report) : IProgress<T>
{
    /// <inheritdoc/>
    public void Report(T value) => report(value);
}
