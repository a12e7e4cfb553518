using AnTransformer.Studies.Running;
using AnTransformer.Studies.Statistics;
using AnTransformer.Studies.Tuning;

namespace AnTransformer.Studies.Comparison;

/// <summary>A side against the reference at one size and one budget.</summary>
/// <param name="Side">The side's name.</param>
/// <param name="Budget">Tokens that both train on.</param>
/// <param name="Tokens">Speed-up in tokens to the reference's final loss, within the curve of one schedule.</param>
/// <param name="IsBound">Whether evaluations were so rare that it is but a bound.</param>
/// <param name="Flops">The same in floating-point operations of matrix products.</param>
/// <param name="Time">The same in seconds of training, from median speeds.</param>
/// <param name="Frontier">Speed-up on the annealed frontier; null with fewer than two budgets.</param>
/// <param name="FrontierReach">Whether the budgets enclose it; null with fewer than two.</param>
/// <param name="Difference">Final loss minus the reference's with the same seed; null when no seed is common.</param>
public sealed record SideAgainstReference(
    string Side,
    double Budget,
    Estimate Tokens,
    bool IsBound,
    Estimate Flops,
    Estimate Time,
    Estimate? Frontier,
    FrontierReach? FrontierReach,
    PairedDifference? Difference)
{
    /// <summary>The speed-up to name first: the annealed frontier's where it can be told, else that within a run.</summary>
    internal Estimate Headline => IsHeadlineFrontier ? Frontier! : Tokens;

    /// <summary>Whether that is the annealed frontier's.</summary>
    internal bool IsHeadlineFrontier => Frontier is { } frontier && double.IsFinite(frontier.Value);

    /// <summary>Compares; null while one of the two has no completed run.</summary>
    /// <param name="reference">The reference.</param>
    /// <param name="side">The side.</param>
    /// <param name="budget">Index of the budget.</param>
    public static SideAgainstReference? Create(SideAtSize reference, SideAtSize side, int budget)
    {
        var (theirs, ours) = (reference.Budgets[budget], side.Budgets[budget]);
        if (theirs.Completed.Count == 0 || ours.Completed.Count == 0)
            return null;
        var (referenceCurves, curves) = (theirs.Curves, ours.Curves);
        var tokens = Estimate.Of(
            SpeedUp.OfCurves(LossCurve.Mean(referenceCurves), LossCurve.Mean(curves)),
            [referenceCurves.Count, curves.Count],
            drawn => SpeedUp.OfCurves(Mean(referenceCurves, drawn[0]), Mean(curves, drawn[1])));
        var (referenceRun, run) = (Any(theirs), Any(ours));
        var frontier = FrontierComparison.Create(reference, side, budget);
        return new SideAgainstReference(
            side.Side,
            theirs.Budget,
            tokens,
            SpeedUp.IsBound(LossCurve.Mean(referenceCurves), LossCurve.Mean(curves)),
            tokens.Times(referenceRun.FlopsPerToken / run.FlopsPerToken),
            tokens.Times((ours.TokensPerSecond ?? double.NaN) / (theirs.TokensPerSecond ?? double.NaN)),
            frontier?.Estimate,
            frontier?.Reach,
            PairedDifference.Of(theirs.Losses, ours.Losses));
    }

    private static RunResult Any(CellOutcome outcome) => outcome.Completed.Values.First();

    private static LossCurve Mean(IReadOnlyList<LossCurve> curves, int[] drawn) => LossCurve.Mean(Array.ConvertAll(drawn, i => curves[i]));
}
