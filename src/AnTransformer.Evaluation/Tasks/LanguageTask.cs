namespace AnTransformer.Evaluation.Tasks;

/// <summary>A set of questions and how answers are counted.</summary>
internal abstract class LanguageTask
{
    /// <summary>Accuracies, by log-likelihood and by that per character; perplexity.</summary>
    protected const string Accuracy = "acc", PerCharacter = "acc_norm", Perplexity = "perplexity";

    /// <summary>What <c>--tasks</c> calls it.</summary>
    public abstract string Name { get; }

    /// <summary>The figures: of acc, acc_norm, acc_bytes and perplexity.</summary>
    public virtual IReadOnlyList<string> Metrics => [Accuracy, PerCharacter];

    /// <summary>
    /// Version of the definition in lm-evaluation-harness that this one follows; 0 for one of the user's.
    /// </summary>
    public virtual double Version => 1;

    /// <summary>
    /// Reads the questions, in groups that are tasks of their own; most sets are one group of the task's name.
    /// </summary>
    /// <param name="directory">Where the published files lie.</param>
    /// <exception cref="InvalidInputException">A file is missing or cannot be used.</exception>
    public abstract IReadOnlyList<QuestionGroup> Read(string directory);
}

/// <summary>Questions that have figures of their own.</summary>
/// <param name="Name">Their name.</param>
/// <param name="Questions">The questions.</param>
internal sealed record QuestionGroup(string Name, IReadOnlyList<Question> Questions);
