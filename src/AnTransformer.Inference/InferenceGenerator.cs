using AnTransformer.Configuration;
using AnTransformer.Generation;

namespace AnTransformer.Inference;

/// <summary>
/// Continues a token sequence by a model on own kernels; the same tokens as <see cref="TextGenerator"/> draws.
/// </summary>
/// <param name="model">The model; outlives the generator.</param>
public sealed class InferenceGenerator(InferenceModel model) : TokenGenerator
{
    /// <inheritdoc/>
    protected override ModelConfig Config => model.Config;

    /// <inheritdoc/>
    protected override IDecodingState Start() => new State(model.CreateSession());

    private sealed class State(InferenceSession session) : IDecodingState
    {
        public int Length => session.Length;

        public ReadOnlySpan<float> Read(ReadOnlySpan<int> tokens)
            => tokens.Length == 1 ? session.Decode(tokens[0]) : session.Prefill(tokens);

        public void Dispose() => session.Dispose();
    }
}
