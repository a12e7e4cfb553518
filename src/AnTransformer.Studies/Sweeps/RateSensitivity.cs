using AnTransformer.Studies.Statistics;

namespace AnTransformer.Studies.Sweeps;

/// <summary>
/// Over how many octaves of the learning rate the loss stays within a share of the best, for each combination of the
/// other fields.
/// </summary>
/// <param name="Others">Values of the other fields.</param>
/// <param name="Range">The range of the mean losses; null when every rate has diverged runs.</param>
/// <param name="Octaves">
/// Its width, the mean over the seeds that all rates have; null when every rate has diverged runs.
/// </param>
internal sealed record RateSensitivity(IReadOnlyList<string> Others, Tolerance? Range, Estimate? Octaves)
{
    public const double Share = 0.01;
    private const string RateKey = "optimizer.learning_rate";

    /// <summary>
    /// The sensitivities of a grid; none when the learning rate is not varied over two or more values, or values are
    /// drawn at random.
    /// </summary>
    public static IReadOnlyList<RateSensitivity> Of(
        IReadOnlyList<SweepField> fields, IReadOnlyList<SweepOutcome> outcomes, bool isGrid)
    {
        var rate = fields.ToList().FindIndex(field => field.Key == RateKey);
        if (!isGrid || rate < 0 || fields[rate].Values.Count < 2)
            return [];
        return outcomes.GroupBy(outcome => string.Join('\n', Others(outcome))).Select(group => Create(
            Others(group.First()).ToList(),
            group.Where(outcome => outcome.Losses.Count > 0)
                .Select(outcome => (Rate: SweepField.Number(outcome.Values[rate]) ?? double.NaN, Outcome: outcome))
                .OrderBy(point => point.Rate).ToList())).ToList();

        IEnumerable<string> Others(SweepOutcome outcome) => outcome.Values.Where((_, i) => i != rate);
    }

    private static RateSensitivity Create(
        IReadOnlyList<string> others, List<(double Rate, SweepOutcome Outcome)> points)
    {
        var rates = points.ConvertAll(point => point.Rate);
        var seeds = points.Count == 0 ? []
            : points.Skip(1)
                .Aggregate(
                    points[0].Outcome.BySeed.Keys, (common, point) => common.Intersect(point.Outcome.BySeed.Keys))
                .Order().ToList();
        var tolerances = seeds.Count == 0 ? []
            : Tolerance.BySeed(
                rates, points.ConvertAll(point => seeds.ConvertAll(seed => point.Outcome.BySeed[seed])), Share);
        return new RateSensitivity(
            others,
            Tolerance.Of(rates, points.ConvertAll(point => point.Outcome.Mean), Share),
            tolerances.Count == 0 ? null
                : Estimate.OfMean(
                    [.. tolerances.Select(
                        range => new SeedValue(range.Octaves, range.IsBound ? Bounds.AtLeast : Bounds.None))]));
    }
}
