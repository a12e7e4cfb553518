using System.Text;

namespace AnTransformer.Evaluation.Tasks;

/// <summary>What is asked of the model: how likely a text is after another.</summary>
/// <param name="Context">What stands before; empty for the beginning of a document.</param>
/// <param name="Text">What is scored.</param>
internal readonly record struct Continuation(string Context, string Text);

/// <summary>A question with its possible answers, or a text to go on with where there is one answer only.</summary>
/// <param name="Choices">What the model is asked, for each answer.</param>
/// <param name="Answers">
/// The answers themselves, without what joins them to the context: normalized scores are over their lengths.
/// </param>
/// <param name="Gold">Index of the right answer.</param>
/// <param name="Place">File and line, for errors.</param>
internal sealed record Question(
    IReadOnlyList<Continuation> Choices, IReadOnlyList<string> Answers, int Gold, string Place)
{
    /// <summary>A question whose answers follow one context.</summary>
    /// <param name="context">The context.</param>
    /// <param name="answers">At least two answers.</param>
    /// <param name="gold">Index of the right one.</param>
    /// <param name="place">File and line, for errors.</param>
    /// <param name="delimiter">What is between context and answer.</param>
    /// <exception cref="InvalidInputException">An answer is empty, or the right one is none of them.</exception>
    public static Question MultipleChoice(
        string context, IReadOnlyList<string> answers, int gold, string place, string delimiter = " ")
        => new Question(
            [.. answers.Select(answer => new Continuation(context, delimiter + answer))], answers, gold, place)
            .Checked();

    /// <summary>This, if it can be asked.</summary>
    /// <exception cref="InvalidInputException">It cannot.</exception>
    public Question Checked()
    {
        if (Answers.Count < 2)
            throw new InvalidInputException($"{Place}: has fewer than two answers to choose from; mend or remove it.");
        if (Gold < 0 || Gold >= Answers.Count)
            throw new InvalidInputException(
                $"{Place}: the right answer is number {Gold} (from 0), but there are {Answers.Count}; mend or remove "
                    + "it.");
        if (Answers.Any(answer => answer.Length == 0) || Choices.Any(choice => choice.Text.Length == 0))
            throw new InvalidInputException($"{Place}: has an empty answer; mend or remove the question.");
        return this;
    }

    /// <summary>Characters of an answer as Python counts them: code points.</summary>
    public static int Characters(string answer) => answer.EnumerateRunes().Count();

    /// <summary>Bytes of an answer in UTF-8.</summary>
    public static int Bytes(string answer) => Encoding.UTF8.GetByteCount(answer);
}
