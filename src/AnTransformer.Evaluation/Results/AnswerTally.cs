using AnTransformer.Evaluation.Scoring;
using AnTransformer.Evaluation.Tasks;

namespace AnTransformer.Evaluation.Results;

/// <summary>Counts answers of one group of questions.</summary>
/// <param name="questions">The questions.</param>
internal sealed class AnswerTally(IReadOnlyList<Question> questions)
{
    private readonly Likelihood[]?[] _answers = new Likelihood[]?[questions.Count];

    /// <summary>Notes how likely a question's answers are.</summary>
    /// <param name="question">Its number.</param>
    /// <param name="likelihoods">Of each answer.</param>
    public void Add(int question, Likelihood[] likelihoods) => _answers[question] = likelihoods;

    /// <summary>A figure over all questions.</summary>
    /// <param name="name">acc, acc_norm, acc_bytes or perplexity.</param>
    public Metric Figure(string name)
    {
        if (name == "perplexity")
            return Metric.Perplexity([.. _answers.Select(answer => answer![0].LogLikelihood)]);
        return Metric.Mean(
            name, [.. questions.Select((question, i) => IsRight(question, _answers[i]!, name) ? 1.0 : 0.0)]);
    }

    private static bool IsRight(Question question, Likelihood[] answers, string metric)
    {
        if (answers.Length == 1)
            return answers[0].IsGreedy;
        var best = 0;
        var scores = answers.Select((answer, i) => answer.LogLikelihood / Length(question.Answers[i], metric))
            .ToArray();
        for (var i = 1; i < scores.Length; i++)
        {
            // The first of equals, and no number never wins.
            if (scores[i] > scores[best] || double.IsNaN(scores[best]))
                best = i;
        }

        return best == question.Gold;
    }

    private static double Length(string answer, string metric) => metric switch
    {
        "acc_norm" => Question.Characters(answer),
        "acc_bytes" => Question.Bytes(answer),
        _ => 1,
    };
}
