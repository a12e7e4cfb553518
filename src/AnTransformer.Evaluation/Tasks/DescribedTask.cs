using System.Globalization;
using System.Text.RegularExpressions;
using AnTransformer.Evaluation.Data;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Evaluation.Tasks;

/// <summary>A multiple-choice set of the user's, described by a YAML file (<see cref="TaskDescription"/>).</summary>
internal sealed partial class DescribedTask : LanguageTask
{
    private readonly string _path;
    private readonly TaskDescription _description;

    private DescribedTask(string path, TaskDescription description) => (_path, _description) = (path, description);

    /// <inheritdoc/>
    public override string Name => _description.Task ?? Path.GetFileNameWithoutExtension(_path);

    /// <inheritdoc/>
    public override IReadOnlyList<string> Metrics => _description.Metrics;

    /// <inheritdoc/>
    public override double Version => 0;

    /// <summary>Reads a description.</summary>
    /// <param name="path">The YAML file.</param>
    /// <exception cref="InvalidInputException">It is missing or cannot be used.</exception>
    public static DescribedTask Load(string path) => new(path, ConfigurationBinder.Load<TaskDescription>(path, []));

    /// <inheritdoc/>
    public override IReadOnlyList<QuestionGroup> Read(string directory)
    {
        string[] places =
        [
            Path.Combine(directory, _description.File),
            Path.Combine(Path.GetDirectoryName(Path.GetFullPath(_path))!, _description.File),
        ];
        var file = Array.Find(places, File.Exists)
            ?? throw new InvalidInputException(
                $"{_path}: the file '{Printable.Excerpt(_description.File)}' is neither below {directory} nor beside "
                    + "the description; check the name.");
        var questions = QuestionFile.Read(file).Select(Ask).ToList();
        return questions.Count > 0
            ? [new QuestionGroup(Name, questions)]
            : throw new InvalidInputException($"{file}: has no questions.");
    }

    private Question Ask(QuestionRow row)
    {
        var answers = Values(_description.Choices, row);
        return Question.MultipleChoice(
            Fill(_description.Prompt, row), answers, Gold(row, answers), row.Place, _description.Delimiter);
    }

    private int Gold(QuestionRow row, IReadOnlyList<string> answers)
    {
        var answer = row.Text(_description.Answer);
        if (_description.Labels.Count > 0)
        {
            var labels = Values(_description.Labels, row).ToList();
            var index = labels.IndexOf(answer);
            return index >= 0
                ? index
                : throw row.Wrong(_description.Answer, $"one of the labels {string.Join(", ", labels.Take(12))}");
        }

        if (int.TryParse(answer, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return number;
        var place = answers.ToList().IndexOf(answer);
        return place >= 0
            ? place
            : throw row.Wrong(_description.Answer, "the number of an answer (from 0) or one of the answers");
    }

    /// <summary>Each entry filled in; or of the one entry {field} the list that the field is.</summary>
    private static IReadOnlyList<string> Values(List<string> entries, QuestionRow row)
        => entries is [var only] && Field().Match(only) is { Success: true } match && match.Length == only.Length
            ? row.Texts(match.Groups["path"].Value)
            : [.. entries.Select(entry => Fill(entry, row))];

    private static string Fill(string template, QuestionRow row)
        => Field().Replace(template, match => row.Text(match.Groups["path"].Value));

    [GeneratedRegex(
        @"\{(?<path>[\w.-]+)\}", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, Timeout.Infinite)]
    private static partial Regex Field();
}
