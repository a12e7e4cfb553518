using AnTransformer.Studies.Statistics;

namespace AnTransformer.Studies.Sweeps;

/// <summary>Over how many octaves of the learning rate the loss stays within a share of the best, for each combination of the other fields.</summary>
/// <param name="Others">Values of the other fields.</param>
/// <param name="Range">The range; null when every run diverged.</param>
internal sealed record RateSensitivity(IReadOnlyList<string> Others, Tolerance? Range)
{
    public const double Share = 0.01;
    private const string RateKey = "optimizer.learning_rate";

    /// <summary>The sensitivities of a grid; none when the learning rate is not varied over two or more values, or values are drawn at random.</summary>
    public static IReadOnlyList<RateSensitivity> Of(IReadOnlyList<SweepField> fields, IReadOnlyList<SweepOutcome> outcomes, bool isGrid)
    {
        var rate = fields.ToList().FindIndex(field => field.Key == RateKey);
        if (!isGrid || rate < 0 || fields[rate].Values.Count < 2)
            return [];
        return outcomes.GroupBy(outcome => string.Join('\n', Others(outcome))).Select(group =>
        {
            var points = group.Where(outcome => outcome.Losses.Count > 0)
                .Select(outcome => (Rate: SweepField.Number(outcome.Values[rate]) ?? double.NaN, outcome.Mean)).OrderBy(point => point.Rate).ToList();
            return new RateSensitivity(
                Others(group.First()).ToList(),
                Tolerance.Of(points.ConvertAll(point => point.Rate), points.ConvertAll(point => point.Mean), Share));
        }).ToList();

        IEnumerable<string> Others(SweepOutcome outcome) => outcome.Values.Where((_, i) => i != rate);
    }
}
