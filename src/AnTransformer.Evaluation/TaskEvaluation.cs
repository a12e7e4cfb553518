using AnTransformer.Evaluation.Results;
using AnTransformer.Evaluation.Scoring;
using AnTransformer.Evaluation.Tasks;
using AnTransformer.Inference;
using AnTransformer.Training.Tokenization;

namespace AnTransformer.Evaluation;

/// <summary>
/// Asks a model the questions of tasks, without examples before them (zero-shot), and counts as lm-evaluation-harness
/// does.
/// </summary>
internal sealed class TaskEvaluation
{
    private readonly IReadOnlyList<(LanguageTask Task, IReadOnlyList<QuestionGroup> Groups)> _tasks;
    private readonly int _limit;

    private TaskEvaluation(IReadOnlyList<(LanguageTask Task, IReadOnlyList<QuestionGroup> Groups)> tasks, int limit)
        => (_tasks, _limit) = (tasks, limit);

    /// <summary>Reads the questions.</summary>
    /// <param name="tasks">Names of tasks, or paths of descriptions.</param>
    /// <param name="directory">Where the published files lie.</param>
    /// <param name="limit">Questions asked of each task or paradigm at most, the first ones; 0 for all.</param>
    /// <exception cref="InvalidInputException">A task is unknown, or its files cannot be used.</exception>
    public static TaskEvaluation Open(IEnumerable<string> tasks, string directory, int limit)
        => new([.. TaskRegistry.Find(tasks).Select(task => (task, task.Read(directory)))], limit);

    /// <summary>Questions that will be asked.</summary>
    public long Questions => _tasks.Sum(task => task.Groups.Sum(group => (long)Asked(group).Count));

    /// <summary>Asks.</summary>
    /// <param name="model">The model.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="progress">Receives task and share done, in [0, 1].</param>
    /// <param name="stop">Ends the evaluation.</param>
    /// <exception cref="InvalidInputException">A question cannot be asked of this model.</exception>
    /// <exception cref="OperationCanceledException">Stopped.</exception>
    public IReadOnlyList<TaskResult> Run(
        InferenceModel model, Tokenizer tokenizer, Action<string, double>? progress = null,
        CancellationToken stop = default)
    {
        using var scorer = new LikelihoodScorer(model);
        var (asked, total) = (0L, Questions);
        return [.. _tasks.Select(task => Whole(task.Task, [.. task.Groups.Select(group => Ask(task.Task, group))]))];

        TaskResult Ask(LanguageTask task, QuestionGroup group)
        {
            var questions = Asked(group);
            var (tally, cut) = (new AnswerTally(questions), 0);
            scorer.Score(
                questions.Select(question => (IReadOnlyList<TokenizedContinuation>)[.. question.Choices.Select(choice =>
                {
                    var encoded = TokenizedContinuation.Encode(
                        choice, tokenizer, model.Config.MaxPositionEmbeddings, question.Place);
                    cut += encoded.IsCut ? 1 : 0;
                    return encoded;
                })]),
                (question, likelihoods) =>
                {
                    tally.Add(question, likelihoods);
                    progress?.Invoke(group.Name, (double)++asked / total);
                },
                stop);
            return new TaskResult(
                group.Name, questions.Count, group.Questions.Count, cut, [.. task.Metrics.Select(tally.Figure)],
                task.Version, []);
        }
    }

    private static TaskResult Whole(LanguageTask task, List<TaskResult> parts)
        => parts is [var only] && only.Name == task.Name
            ? only
            : new TaskResult(
                task.Name, parts.Sum(part => part.Questions), parts.Sum(part => part.Available),
                parts.Sum(part => part.Cut),
                [.. task.Metrics.Select((_, i) => Metric.OfGroup(
                    [.. parts.Select(part => part.Metrics[i])], [.. parts.Select(part => part.Questions)]))],
                task.Version, parts);

    private IReadOnlyList<Question> Asked(QuestionGroup group)
        => _limit == 0 || group.Questions.Count <= _limit ? group.Questions : [.. group.Questions.Take(_limit)];
}
