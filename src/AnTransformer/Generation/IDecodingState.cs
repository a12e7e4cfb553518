namespace AnTransformer.Generation;

/// <summary>A sequence that a model is reading.</summary>
public interface IDecodingState : IDisposable
{
    /// <summary>Tokens whose keys and values are kept; 0 where the whole sequence is read for every token.</summary>
    int Length { get; }

    /// <summary>Reads tokens that follow those which are kept.</summary>
    /// <param name="tokens">At least one id.</param>
    /// <returns>Logits after the last one, [V]; valid until the next call.</returns>
    ReadOnlySpan<float> Read(ReadOnlySpan<int> tokens);
}
