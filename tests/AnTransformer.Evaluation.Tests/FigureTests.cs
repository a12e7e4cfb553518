using AnTransformer.Evaluation.Results;
using AnTransformer.Evaluation.Scoring;
using AnTransformer.Evaluation.Tasks;

namespace AnTransformer.Evaluation.Tests;

/// <summary>Figures whose right values were computed by hand.</summary>
public sealed class FigureTests
{
    [Fact]
    public void Accuracies_are_by_the_sum_per_character_and_per_byte()
    {
        // Sums: "abcd" -4, "é" -3 (1 character, 2 bytes). By the sum é wins, per character abcd (-1 against -3), per byte
        // abcd (-1 against -1.5).
        var question = Question.MultipleChoice("", ["abcd", "é"], gold: 1, "here");
        var tally = new AnswerTally([question]);
        tally.Add(0, [new Likelihood(-4, false), new Likelihood(-3, false)]);
        Assert.Equal(1, tally.Figure("acc").Value);
        Assert.Equal(0, tally.Figure("acc_norm").Value);
        Assert.Equal(0, tally.Figure("acc_bytes").Value);

        // -6 against -3.5: per character -1.5 against -3.5; per byte -1.5 against -1.75; a pair of surrogates is one character.
        var wide = Question.MultipleChoice("", ["abcd", "𝄞"], gold: 1, "here");
        Assert.Equal(1, Question.Characters("𝄞"));
        Assert.Equal(4, Question.Bytes("𝄞"));
        var second = new AnswerTally([wide]);
        second.Add(0, [new Likelihood(-6, false), new Likelihood(-5, false)]);
        Assert.Equal(0, second.Figure("acc_norm").Value);      // -1.5 > -5
        Assert.Equal(1, second.Figure("acc_bytes").Value);     // -1.5 < -1.25
    }

    [Fact]
    public void The_first_of_equals_is_the_answer()
    {
        var questions = new[] { Question.MultipleChoice("", ["a", "b"], 0, ""), Question.MultipleChoice("", ["a", "b"], 1, "") };
        var tally = new AnswerTally(questions);
        tally.Add(0, [new Likelihood(-2, false), new Likelihood(-2, false)]);
        tally.Add(1, [new Likelihood(-2, false), new Likelihood(-2, false)]);
        Assert.Equal(0.5, tally.Figure("acc").Value);
    }

    [Fact]
    public void Standard_errors_are_of_the_sample()
    {
        // 1, 0, 0, 1: mean 1/2, variance of the sample 1/3, of the mean 1/12.
        var metric = Metric.Mean("acc", [1, 0, 0, 1]);
        Assert.Equal(0.5, metric.Value);
        Assert.Equal(Math.Sqrt(1 / 12.0), metric.StandardError!.Value, 1e-15);
        Assert.Null(Metric.Mean("acc", [1]).StandardError);
    }

    [Fact]
    public void Perplexity_is_of_the_mean_and_lambada_counts_greedy_words()
    {
        var questions = Enumerable.Range(0, 2).Select(_ => new Question([new Continuation("a", " b")], ["b"], 0, "")).ToArray();
        var tally = new AnswerTally(questions);
        tally.Add(0, [new Likelihood(-1, true)]);
        tally.Add(1, [new Likelihood(-3, false)]);
        // e^2; the standard error of -1 and -3 is 1, so that of the perplexity is e^2 times 1.
        Assert.Equal(7.38905609893065, tally.Figure("perplexity").Value, 1e-12);
        Assert.Equal(7.38905609893065, tally.Figure("perplexity").StandardError!.Value, 1e-12);
        Assert.Equal(0.5, tally.Figure("acc").Value);
    }

    [Fact]
    public void Groups_are_means_of_their_parts_with_a_pooled_error()
    {
        // Parts of 10 and 30 with errors 0.1 and 0.05: (9·10·0.01 + 29·30·0.0025) / 38 = 3.075 / 38; over 40 and its root.
        var group = Metric.OfGroup([new Metric("acc", 0.4, 0.1), new Metric("acc", 0.8, 0.05)], [10, 30]);
        Assert.Equal(0.6, group.Value, 1e-15);
        Assert.Equal(0.044978065, group.StandardError!.Value, 1e-8);
    }
}
