using AnTransformer.Evaluation.Data;

namespace AnTransformer.Evaluation.Tasks;

/// <summary>
/// LAMBADA (Paperno et al. 2016): the last word of a passage, which counts where each of its tokens is the likeliest.
/// The test set: OpenAI's form (lambada_test.jsonl), or the original one (lambada_test_plain_text.txt).
/// </summary>
internal sealed class Lambada : PublishedTask
{
    /// <inheritdoc/>
    public override string Name => "lambada";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Metrics => [Perplexity, Accuracy];

    /// <inheritdoc/>
    protected override string[] SetNames => ["lambada"];

    /// <inheritdoc/>
    protected override string[] Splits => ["test"];

    /// <inheritdoc/>
    protected override Question Ask(QuestionRow row)
    {
        var text = row.Text("text");
        var space = text.LastIndexOf(' ');
        if (space < 0)
            throw row.Wrong("text", "a passage of several words");
        var word = text[space..];
        return new Question([new Continuation(text[..space], word)], [word], Gold: 0, row.Place);
    }
}
