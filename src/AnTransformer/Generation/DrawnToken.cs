using System.Runtime.InteropServices;

namespace AnTransformer.Generation;

/// <summary>A token that was drawn.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Logprob">
/// Its natural log-probability in the model's own distribution, before temperature, penalties and cuts; NaN where none
/// was asked for.
/// </param>
/// <param name="Alternatives">
/// The most probable tokens, the most probable first; empty where none were asked for.
/// </param>
public sealed record DrawnToken(int Id, double Logprob, IReadOnlyList<TokenLogprob> Alternatives);

/// <summary>A token that could have been drawn.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Logprob">Its natural log-probability.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct TokenLogprob(int Id, double Logprob);
