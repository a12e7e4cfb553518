using AnTransformer.Evaluation.Data;

namespace AnTransformer.Evaluation.Tasks;

/// <summary>
/// ARC (Clark et al. 2018): questions of science at school. The test set, in AI2's form (<c>question.stem</c> and a
/// list of choices) or the Hugging Face Hub's (<c>question</c> and lists of texts and labels).
/// </summary>
/// <param name="name">arc_easy or arc_challenge.</param>
/// <param name="setName">What paths call it.</param>
internal sealed class Arc(string name, string setName) : PublishedTask
{
    /// <inheritdoc/>
    public override string Name => name;

    /// <inheritdoc/>
    protected override string[] SetNames => [setName];

    /// <inheritdoc/>
    protected override string[] Splits => ["test"];

    /// <inheritdoc/>
    protected override Question Ask(QuestionRow row)
    {
        var isNested = row.Has("question.stem");
        var choices = isNested ? "question.choices" : "choices";
        var labels = row.Texts($"{choices}.label");
        var answer = row.Text("answerKey");
        var gold = labels.ToList().IndexOf(answer);
        return gold >= 0
            ? Question.MultipleChoice(
                $"Question: {row.Text(isNested ? "question.stem" : "question")}\nAnswer:", row.Texts($"{choices}.text"),
                gold, row.Place)
            : throw row.Wrong("answerKey", $"one of {string.Join(", ", labels)}");
    }
}
