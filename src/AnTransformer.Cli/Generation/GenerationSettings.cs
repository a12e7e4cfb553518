using AnTransformer.Generation;

namespace AnTransformer.Cli.Generation;

/// <summary>What <c>generate</c> was asked for.</summary>
/// <param name="Sampling">How to draw.</param>
/// <param name="MaxTokens">Most tokens to draw.</param>
/// <param name="Stops">Texts before which to end.</param>
/// <param name="Logprobs">Alternatives to tell with each token; null for none of it.</param>
/// <param name="IgnoresEnd">Whether to go on after an end-of-text token.</param>
internal sealed record GenerationSettings(
    SamplingOptions Sampling, int MaxTokens, IReadOnlyList<string> Stops, int? Logprobs, bool IgnoresEnd);
