using AnTransformer.Studies.Tuning;

namespace AnTransformer.Studies.Comparison;

/// <summary>A side at one size: its outcomes by budget, ascending.</summary>
/// <param name="Side">The side's name.</param>
/// <param name="Budgets">Outcomes, one for each budget.</param>
public sealed record SideAtSize(string Side, IReadOnlyList<CellOutcome> Budgets);

/// <summary>The sides at one size, each against the reference.</summary>
/// <param name="Size">The size's name; empty when there is only one.</param>
/// <param name="Sides">The sides.</param>
/// <param name="Against">For every side but the reference and every budget what is known, largest budget last.</param>
public sealed record SizeComparison(
    string Size, IReadOnlyList<SideAtSize> Sides, IReadOnlyList<SideAgainstReference> Against)
{
    /// <summary>Compares as far as results are known.</summary>
    /// <param name="size">The size's name.</param>
    /// <param name="sides">The sides.</param>
    /// <param name="reference">Name of the reference.</param>
    public static SizeComparison Create(string size, IReadOnlyList<SideAtSize> sides, string reference)
    {
        var referenceSide = sides.Single(side => side.Side == reference);
        var against = sides.Where(side => side != referenceSide)
            .SelectMany(
                side => Enumerable.Range(0, side.Budgets.Count)
                    .Select(budget => SideAgainstReference.Create(referenceSide, side, budget)))
            .OfType<SideAgainstReference>().ToList();
        return new SizeComparison(size, sides, against);
    }

    /// <summary>A side at the largest budget that is known; null while there is none.</summary>
    /// <param name="side">The side's name.</param>
    public SideAgainstReference? Largest(string side) => Against.LastOrDefault(item => item.Side == side);
}
