namespace AnTransformer.Evaluation.Results;

/// <summary>A figure.</summary>
/// <param name="Name">acc, acc_norm, acc_bytes or perplexity.</param>
/// <param name="Value">The figure.</param>
/// <param name="StandardError">Its standard error; null where there is one question only.</param>
internal sealed record Metric(string Name, double Value, double? StandardError)
{
    /// <summary>Whether a higher one is better.</summary>
    public bool HigherIsBetter => Name != "perplexity";

    /// <summary>The mean of one number for each question.</summary>
    /// <param name="name">acc, acc_norm or acc_bytes.</param>
    /// <param name="values">The numbers.</param>
    public static Metric Mean(string name, IReadOnlyList<double> values)
        => new(name, values.Average(), StandardErrorOf(values));

    /// <summary>
    /// e to the mean negative log-likelihood of a question. Its standard error is that of the mean times itself, the
    /// delta method, where lm-evaluation-harness draws samples again.
    /// </summary>
    /// <param name="logLikelihoods">One for each question.</param>
    public static Metric Perplexity(IReadOnlyList<double> logLikelihoods)
    {
        var value = Math.Exp(-logLikelihoods.Average());
        return new Metric("perplexity", value, value * StandardErrorOf(logLikelihoods));
    }

    /// <summary>The mean over tasks, each of which counts the same, with a pooled standard error.</summary>
    /// <param name="parts">The same figure of each.</param>
    /// <param name="sizes">Their numbers of questions.</param>
    public static Metric OfGroup(IReadOnlyList<Metric> parts, IReadOnlyList<int> sizes)
    {
        double? error = null;
        if (parts.All(part => part.StandardError is not null) && sizes.Sum() > sizes.Count)
        {
            // lm_eval/api/metrics.py, pooled_sample_stderr.
            var pooled = parts.Zip(sizes, (part, size) => (size - 1.0) * size * Square(part.StandardError!.Value))
                .Sum();
            error = Math.Sqrt(pooled / (sizes.Sum() - sizes.Count) / sizes.Sum());
        }

        return new Metric(parts[0].Name, parts.Average(part => part.Value), error);
    }

    private static double? StandardErrorOf(IReadOnlyList<double> values)
    {
        if (values.Count < 2)
            return null;
        var mean = values.Average();
        return Math.Sqrt(values.Sum(value => Square(value - mean)) / (values.Count - 1) / values.Count);
    }

    private static double Square(double value) => value * value;
}
