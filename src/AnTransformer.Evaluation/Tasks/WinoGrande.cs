using AnTransformer.Evaluation.Data;

namespace AnTransformer.Evaluation.Tasks;

/// <summary>
/// WinoGrande (Sakaguchi et al. 2020): which of two names belongs in a gap. Contexts differ, and what follows the gap
/// is scored (Trinh and Le 2018). The validation set, since the test set's answers are not published.
/// </summary>
internal sealed class WinoGrande : PublishedTask
{
    /// <inheritdoc/>
    public override string Name => "winogrande";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Metrics => [Accuracy];

    /// <inheritdoc/>
    protected override string[] SetNames => ["winogrande"];

    /// <inheritdoc/>
    protected override string[] Splits => ["dev", "validation", "val", "valid"];

    /// <inheritdoc/>
    protected override IEnumerable<Question> Ask(string file, IReadOnlyList<QuestionRow> rows)
        => AnswerFile.Beside(file, rows, "answer") is { } answers
            ? rows.Select((row, i) => Ask(row, answers[i]))
            : rows.Select(row => Ask(row));

    /// <inheritdoc/>
    protected override Question Ask(QuestionRow row) => Ask(row, row.Text("answer"));

    private static Question Ask(QuestionRow row, string answer)
    {
        var sentence = row.Text("sentence");
        var gap = sentence.IndexOf('_', StringComparison.Ordinal);
        if (gap < 0)
            throw row.Wrong("sentence", "a sentence with a gap, _");
        var rest = " " + sentence[(gap + 1)..].Trim();
        string[] options = [row.Text("option1"), row.Text("option2")];
        return new Question(
            [.. options.Select(option => new Continuation(sentence[..gap] + option, rest))], options,
            answer is "1" or "2" ? answer[0] - '1' : throw row.Wrong("answer", "1 or 2"), row.Place).Checked();
    }
}
