using AnTransformer.Studies.Statistics;
using AnTransformer.Studies.Tuning;

namespace AnTransformer.Studies.Ablation;

/// <summary>What is known of a variant.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Outcome">Its outcome.</param>
/// <param name="Difference">Its final loss minus the base's with the same seed; null while no seed is common.</param>
internal sealed record VariantOutcome(string Name, CellOutcome Outcome, PairedDifference? Difference)
{
    public static VariantOutcome Create(string name, CellOutcome reference, CellOutcome outcome)
        => new(name, outcome, PairedDifference.Of(
            reference.Losses, outcome.Losses, reference.DivergedSeeds.Union(outcome.DivergedSeeds).Count()));
}
