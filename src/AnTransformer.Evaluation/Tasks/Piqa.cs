using System.Globalization;
using AnTransformer.Evaluation.Data;

namespace AnTransformer.Evaluation.Tasks;

/// <summary>
/// PIQA (Bisk et al. 2020): which of two ways reaches a goal. The validation set, since the test set's answers are not
/// published.
/// </summary>
internal sealed class Piqa : PublishedTask
{
    /// <inheritdoc/>
    public override string Name => "piqa";

    /// <inheritdoc/>
    protected override string[] SetNames => ["piqa", "physicaliqa"];

    /// <inheritdoc/>
    protected override string[] Splits => ["valid", "validation", "dev", "val"];

    /// <inheritdoc/>
    protected override IEnumerable<Question> Ask(string file, IReadOnlyList<QuestionRow> rows)
        => AnswerFile.Beside(file, rows, "label") is { } answers
            ? rows.Select((row, i) => Ask(
                row, int.TryParse(answers[i], CultureInfo.InvariantCulture, out var gold)
                    ? gold
                    : throw row.Wrong("label", "a whole number")))
            : rows.Select(row => Ask(row));

    /// <inheritdoc/>
    protected override Question Ask(QuestionRow row) => Ask(row, row.Number("label"));

    private static Question Ask(QuestionRow row, int gold)
        => Question.MultipleChoice(
            $"Question: {row.Text("goal")}\nAnswer:", [row.Text("sol1"), row.Text("sol2")], gold, row.Place);
}
