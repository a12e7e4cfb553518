using AnTransformer.Generation;

namespace AnTransformer.Server.Scheduling;

/// <summary>One sequence that a client asks for.</summary>
/// <param name="Prompt">At least one id, at most a context of them.</param>
/// <param name="MaxTokens">Most tokens to draw; 0 where only the prompt's log-probabilities are wanted.</param>
/// <param name="Sampling">How to draw.</param>
/// <param name="Logprobs">Alternatives to tell with each token; null for no log-probabilities.</param>
/// <param name="ScoresPrompt">Whether to tell the prompt's log-probabilities, too.</param>
/// <param name="StopToken">Ends the sequence when drawn; null for none.</param>
internal sealed record GenerationRequest(
    int[] Prompt, int MaxTokens, SamplingOptions Sampling, int? Logprobs = null, bool ScoresPrompt = false,
    int? StopToken = null);
