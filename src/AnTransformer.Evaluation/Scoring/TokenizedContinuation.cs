using AnTransformer.Evaluation.Tasks;
using AnTransformer.Training.Tokenization;

namespace AnTransformer.Evaluation.Scoring;

/// <summary>Tokens of which the last ones are scored.</summary>
/// <param name="Tokens">Context and continuation, at most one more than the model's context has.</param>
/// <param name="First">Place of the first token that is scored, at least 1.</param>
/// <param name="IsCut">Whether the context lost its beginning.</param>
internal sealed record TokenizedContinuation(int[] Tokens, int First, bool IsCut)
{
    /// <summary>
    /// Encodes as lm-evaluation-harness does: both texts together, cut where the context's own tokens end; spaces at
    /// the context's end belong to the continuation; an empty context is the end-of-text token; too many tokens lose
    /// those on the left.
    /// </summary>
    /// <param name="continuation">The texts.</param>
    /// <param name="tokenizer">The model's.</param>
    /// <param name="context">Tokens that the model reads at most.</param>
    /// <param name="place">File and line, for errors.</param>
    /// <exception cref="InvalidInputException">
    /// Nothing is left to score, or the context is empty and the tokenizer has no end-of-text token.
    /// </exception>
    public static TokenizedContinuation Encode(
        Continuation continuation, Tokenizer tokenizer, int context, string place)
    {
        var (before, text) = (continuation.Context.TrimEnd(), continuation.Text);
        if (before.Length < continuation.Context.Length)
            text = continuation.Context[before.Length..] + text;
        var whole = tokenizer.Encode(before + text);
        var first = before.Length == 0 ? 0 : tokenizer.Encode(before).Count;
        if (first == 0)
        {
            var end = tokenizer.EndOfTextId
                ?? throw new InvalidInputException(
                    $"{place}: begins a document, and the model's tokenizer has no end-of-text token to begin it with; "
                        + "evaluate another task.");
            if (whole.Count == 0 || whole[0] != end)
                whole.Insert(0, end);
            first = 1;
        }

        if (first >= whole.Count)
            throw new InvalidInputException(
                $"{place}: no token of an answer is left after those of its context; mend or remove the question.");
        var lost = Math.Max(0, whole.Count - context - 1);
        return new TokenizedContinuation([.. whole.Skip(lost)], Math.Max(1, first - lost), lost > 0);
    }
}
