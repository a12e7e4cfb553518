namespace AnTransformer.LlamaComparison;

/// <summary>A program that runs a model.</summary>
internal interface IContestant : IDisposable
{
    /// <summary>Its name in the table.</summary>
    string Name { get; }

    /// <summary>Starts a new sequence.</summary>
    void Reset();

    /// <summary>Reads tokens and tells the most probable next one.</summary>
    /// <param name="tokens">What follows what was read before.</param>
    int Read(ReadOnlySpan<int> tokens);
}
