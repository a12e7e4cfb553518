using AnTransformer.Evaluation.Data;

namespace AnTransformer.Evaluation.Tasks;

/// <summary>Right answers that some sets keep in a file beside the questions, a number on each line.</summary>
internal static class AnswerFile
{
    /// <summary>Answers for rows that have none themselves.</summary>
    /// <param name="file">The questions, such as dev.jsonl; the answers are in dev-labels.lst.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="field">The field that has the answer where it is among the questions.</param>
    /// <returns>One for each row; null where the rows have them.</returns>
    /// <exception cref="InvalidInputException">There are no answers, or not as many as questions.</exception>
    public static string[]? Beside(string file, IReadOnlyList<QuestionRow> rows, string field)
    {
        if (rows.Count == 0 || rows[0].Has(field))
            return null;
        var name = Path.GetFileName(file);
        var path = Path.Combine(
            Path.GetDirectoryName(file)!, name[..name.IndexOf('.', StringComparison.Ordinal)] + "-labels.lst");
        if (!File.Exists(path))
            throw new InvalidInputException(
                $"{file}: has no field \"{field}\", and there is no {Path.GetFileName(path)} beside it; put the "
                    + "answers there.");
        string[] answers;
        try
        {
            answers = [.. File.ReadLines(path).Select(line => line.Trim()).Where(line => line.Length > 0)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException(
                $"{path}: cannot be read ({e.Message.TrimEnd('.')}); get the file again.", e);
        }

        return answers.Length == rows.Count
            ? answers
            : throw new InvalidInputException(
                $"{path}: has {answers.Length} answers to {rows.Count} questions of {name}; get both files again.");
    }
}
