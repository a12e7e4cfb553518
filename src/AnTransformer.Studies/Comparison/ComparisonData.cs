using AnTransformer.Studies.Reporting;

namespace AnTransformer.Studies.Comparison;

/// <summary>A comparison for other programs.</summary>
internal static class ComparisonData
{
    public static object Of(IReadOnlyList<SizeComparison> sizes)
        => sizes.Select(size => new
        {
            size.Size,
            Sides = size.Sides.SelectMany(
                side => side.Budgets.Select(outcome => new { side.Side, Outcome = OutcomeData.Of(outcome) })).ToList(),
            size.Against,
        }).ToList();
}
