using System.ComponentModel;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Evaluation.Tasks;

/// <summary>What a YAML file says of a multiple-choice set of the user's.</summary>
internal sealed class TaskDescription : IValidatable
{
    /// <summary>Name.</summary>
    [Description("Name of the task in results; null for the description's file name.")]
    public string? Task { get; set; }

    /// <summary>File.</summary>
    [Description("The questions, below --task-data or beside the description: JSON lines, a JSON list or Parquet.")]
    public string File { get; set; } = "";

    /// <summary>Prompt.</summary>
    [Description("What stands before the answers, with fields of the row as {field} or {field.inner}.")]
    public string Prompt { get; set; } = "";

    /// <summary>Choices.</summary>
    [Description("The answers: templates like prompt; or one entry, {field}, where the field is a list of answers.")]
    public List<string> Choices { get; set; } = [];

    /// <summary>Answer.</summary>
    [Description("The field that says which answer is right: its label if there are labels, else its number from 0, or "
        + "its text.")]
    public string Answer { get; set; } = "label";

    /// <summary>Labels.</summary>
    [Description("Labels of the answers in their order, such as A, B, C, D; or one entry, {field}, where the field is "
        + "a list of labels.")]
    public List<string> Labels { get; set; } = [];

    /// <summary>Delimiter.</summary>
    [Description("What is between prompt and answer.")]
    public string Delimiter { get; set; } = " ";

    /// <summary>Metrics.</summary>
    [Description("Of acc, acc_norm (over the answer's characters) and acc_bytes (over its bytes).")]
    public List<string> Metrics { get; set; } = ["acc", "acc_norm"];

    /// <inheritdoc/>
    public IEnumerable<ConfigurationProblem> Validate()
    {
        if (File.Length == 0)
            yield return new ConfigurationProblem("file must name the questions", "file");
        if (Choices.Count == 0)
            yield return new ConfigurationProblem(
                "choices must have an entry for each answer, or one that names a list, such as \"{options}\"",
                "choices");
        if (Answer.Length == 0)
            yield return new ConfigurationProblem("answer must name the field of the right answer", "answer");
        if (Metrics.Count == 0 || Metrics.Except(["acc", "acc_norm", "acc_bytes"]).Any())
            yield return new ConfigurationProblem("metrics must be of acc, acc_norm and acc_bytes", "metrics");
    }
}
