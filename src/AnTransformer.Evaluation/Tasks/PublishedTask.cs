using AnTransformer.Evaluation.Data;

namespace AnTransformer.Evaluation.Tasks;

/// <summary>A task whose questions are the rows of one published file.</summary>
internal abstract class PublishedTask : LanguageTask
{
    /// <summary>What the set is called within paths, in lower case, with a space for any of <c>-_.</c></summary>
    protected abstract string[] SetNames { get; }

    /// <summary>What the split is called in a file's name, the best first.</summary>
    protected abstract string[] Splits { get; }

    /// <inheritdoc/>
    public sealed override IReadOnlyList<QuestionGroup> Read(string directory)
    {
        var files = TaskFiles.Find(directory, Name, SetNames, Splits);
        var questions = files.SelectMany(file => Ask(file, QuestionFile.Read(file))).ToList();
        return questions.Count > 0
            ? [new QuestionGroup(Name, questions)]
            : throw new InvalidInputException($"{files[0]}: has no questions; get the file again.");
    }

    /// <summary>The questions of a file.</summary>
    /// <param name="file">The file, beside which there may be others.</param>
    /// <param name="rows">Its rows.</param>
    protected virtual IEnumerable<Question> Ask(string file, IReadOnlyList<QuestionRow> rows) => rows.Select(Ask);

    /// <summary>A row's question.</summary>
    protected abstract Question Ask(QuestionRow row);
}
