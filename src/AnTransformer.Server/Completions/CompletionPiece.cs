using AnTransformer.Generation;

namespace AnTransformer.Server.Completions;

/// <summary>A token and where its text begins.</summary>
/// <param name="Token">What was read or drawn; its log-probability is NaN where it has none.</param>
/// <param name="Offset">Characters (code points) of the completion before it.</param>
internal readonly record struct PlacedToken(DrawnToken Token, int Offset);

/// <summary>What a completion has grown by.</summary>
/// <param name="Text">Perhaps empty.</param>
/// <param name="Tokens">Those that the text so far reaches; empty where log-probabilities were not asked for.</param>
/// <param name="FinishReason"><c>stop</c> or <c>length</c> in the last piece, else null.</param>
internal sealed record CompletionPiece(string Text, IReadOnlyList<PlacedToken> Tokens, string? FinishReason);
