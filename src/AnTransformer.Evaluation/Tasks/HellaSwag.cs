using System.Text;
using System.Text.RegularExpressions;
using AnTransformer.Evaluation.Data;

namespace AnTransformer.Evaluation.Tasks;

/// <summary>
/// HellaSwag (Zellers et al. 2019): which of four endings follows. The validation set, since the test set's answers are
/// not published.
/// </summary>
internal sealed partial class HellaSwag : PublishedTask
{
    /// <inheritdoc/>
    public override string Name => "hellaswag";

    /// <inheritdoc/>
    protected override string[] SetNames => ["hellaswag"];

    /// <inheritdoc/>
    protected override string[] Splits => ["val", "validation"];

    /// <inheritdoc/>
    protected override Question Ask(QuestionRow row)
        => Question.MultipleChoice(
            Clean($"{row.Text("activity_label")}: {row.Text("ctx_a")} {Capitalized(row.Text("ctx_b"))}"),
            [.. row.Texts("endings").Select(Clean)], row.Number("label"), row.Place);

    /// <summary>Without what WikiHow's pages left in the texts.</summary>
    private static string Clean(string text)
        => Brackets().Replace(text.Trim().Replace(" [title]", ". ", StringComparison.Ordinal), "")
            .Replace("  ", " ", StringComparison.Ordinal);

    /// <summary>As Python's <c>str.capitalize</c>: the first character in upper case, others in lower case.</summary>
    private static string Capitalized(string text)
    {
        if (text.Length == 0)
            return text;
        Rune.DecodeFromUtf16(text, out var first, out var length);
        return Rune.ToUpperInvariant(first) + text[length..].ToLowerInvariant();
    }

    [GeneratedRegex(@"\[.*?\]", RegexOptions.CultureInvariant, Timeout.Infinite)]
    private static partial Regex Brackets();
}
