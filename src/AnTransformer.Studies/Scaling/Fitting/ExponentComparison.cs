using AnTransformer.Studies.Scaling.Tables;
using AnTransformer.Studies.Statistics;

namespace AnTransformer.Studies.Scaling.Fitting;

/// <summary>An exponent in two groups.</summary>
/// <param name="Quantity">Name in JSON, such as <c>parametric.alpha</c>.</param>
/// <param name="Symbol">Name in tables.</param>
/// <param name="First">A group.</param>
/// <param name="Second">Another.</param>
/// <param name="FirstValue">The exponent in the first.</param>
/// <param name="SecondValue">The exponent in the second.</param>
/// <param name="Interval">
/// 95 % bootstrap interval of the second's less the first's; null with too few resamples.
/// </param>
public sealed record ExponentComparison(
    string Quantity, string Symbol, string First, string Second, double FirstValue, double SecondValue,
    Interval? Interval)
{
    /// <summary>The second's less the first's.</summary>
    public double Difference => SecondValue - FirstValue;

    internal static IReadOnlyList<ExponentComparison> All(IReadOnlyList<GroupFit> groups)
    {
        var comparisons = new List<ExponentComparison>();
        for (var second = 1; second < groups.Count; second++)
        {
            for (var first = 0; first < second; first++)
            {
                Add(
                    "parametric", "", Quantities.ParametricExponents, groups[first].Parametric?.Fit,
                    groups[second].Parametric?.Fit);
                Add(
                    "compute", "", Quantities.ComputeExponents, groups[first].Compute?.Fit,
                    groups[second].Compute?.Fit);
                Add(
                    "learning_rate", " of the learning rate", Quantities.HyperparameterExponents,
                    groups[first].LearningRate, groups[second].LearningRate);
                Add(
                    "batch_size", " of the batch size", Quantities.HyperparameterExponents, groups[first].BatchSize,
                    groups[second].BatchSize);

                void Add<TLaw>(
                    string law, string ofWhat, IReadOnlyList<Quantity<TLaw>> quantities, Fitted<TLaw>? one,
                    Fitted<TLaw>? other)
                    where TLaw : class
                {
                    if (one is null || other is null)
                        return;
                    comparisons.AddRange(quantities.Select(quantity => new ExponentComparison(
                        $"{law}.{quantity.Key}",
                        quantity.Symbol + ofWhat,
                        groups[first].Group,
                        groups[second].Group,
                        quantity.Of(one.Law),
                        quantity.Of(other.Law),
                        other.IntervalOfDifference(one, quantity.Of))));
                }
            }
        }

        return comparisons;
    }
}
