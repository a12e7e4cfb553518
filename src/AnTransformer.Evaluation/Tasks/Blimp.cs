using AnTransformer.Evaluation.Data;

namespace AnTransformer.Evaluation.Tasks;

/// <summary>
/// BLiMP (Warstadt et al. 2020): which of two sentences that differ in as little as possible is grammatical. Each file
/// is a paradigm with figures of its own; the set's is their mean.
/// </summary>
internal sealed class Blimp : LanguageTask
{
    private const string Good = "sentence_good", Bad = "sentence_bad";

    /// <inheritdoc/>
    public override string Name => "blimp";

    /// <inheritdoc/>
    public override double Version => 2;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Metrics => [Accuracy];

    /// <inheritdoc/>
    public override IReadOnlyList<QuestionGroup> Read(string directory)
    {
        var own = Path.Combine(directory, "blimp");
        var groups = new List<QuestionGroup>();
        foreach (var file in TaskFiles.In(Directory.Exists(own) ? own : directory).Where(IsParadigm))
            groups.Add(new QuestionGroup($"blimp_{Paradigm(file)}", [.. QuestionFile.Read(file).Select(Ask)]));
        if (groups.Count == 0)
            throw new InvalidInputException(
                $"--task-data {directory}: has no file of blimp; they are JSON lines with {Good} and {Bad}, one file a "
                    + "paradigm, as in blimp/anaphor_gender_agreement.jsonl.");
        var twice = groups.GroupBy(group => group.Name).FirstOrDefault(group => group.Count() > 1);
        return twice is null
            ? groups
            : throw new InvalidInputException(
                $"--task-data {directory}: several files of blimp are called {twice.Key["blimp_".Length..]}; leave "
                    + "one.");
    }

    private static Question Ask(QuestionRow row)
        => Question.MultipleChoice("", [row.Text(Good), row.Text(Bad)], gold: 0, row.Place);

    // By what is inside: the directory may hold other sets.
    private static bool IsParadigm(string file)
        => !file.EndsWith(".txt", StringComparison.OrdinalIgnoreCase)
            && QuestionFile.Read(file) is [var first, ..] && first.Has(Good) && first.Has(Bad);

    private static string Paradigm(string file)
    {
        var name = Path.GetFileName(file);
        name = name[..name.IndexOf('.', StringComparison.Ordinal)];
        // On the Hugging Face Hub a paradigm is a directory.
        return name.StartsWith("train", StringComparison.Ordinal)
            ? Path.GetFileName(Path.GetDirectoryName(file))!
            : name;
    }
}
