using AnTransformer.Studies.Scaling.Laws;
using AnTransformer.Studies.Scaling.Tables;
using AnTransformer.Studies.Statistics;

namespace AnTransformer.Studies.Scaling.Fitting;

/// <summary>Everything fitted to one group of runs.</summary>
/// <param name="Group">Its name; empty when all rows are one group.</param>
/// <param name="Points">The runs that the laws are fitted to.</param>
/// <param name="Parametric">L(N, D); null when only L(C) was asked for.</param>
/// <param name="Compute">L(C); null when the frontier has too few budgets.</param>
/// <param name="LearningRate">The best learning rate; null without such a column or with too few pairs (N, D).</param>
/// <param name="BatchSize">The best batch size; null without such a column or with too few pairs (N, D).</param>
/// <param name="Notes">What was done or left out, one sentence each.</param>
/// <param name="Warnings">Why the fit may not hold, one sentence each.</param>
public sealed record GroupFit(
    string Group,
    IReadOnlyList<ScalingPoint> Points,
    ParametricResult? Parametric,
    ComputeResult? Compute,
    Fitted<HyperparameterLaw>? LearningRate,
    Fitted<HyperparameterLaw>? BatchSize,
    IReadOnlyList<string> Notes,
    IReadOnlyList<string> Warnings);

/// <summary>L(N, D) and the sizes that follow from it.</summary>
/// <param name="Fit">The law.</param>
/// <param name="FlopsPerParameterToken">κ of C = κ N D: 6, or the table's own where it has all three.</param>
/// <param name="Allocations">Compute-optimal sizes for budgets; empty where the law has no optimum.</param>
public sealed record ParametricResult(
    Fitted<ParametricLaw> Fit, double FlopsPerParameterToken, IReadOnlyList<AllocationEstimate> Allocations);

/// <summary>A compute-optimal model with 95 % bootstrap intervals.</summary>
/// <param name="Optimum">By the fit to the data.</param>
/// <param name="Parameters">Interval of N_opt; null without resamples.</param>
/// <param name="Tokens">Interval of D_opt; null without resamples.</param>
/// <param name="Loss">Interval of the predicted loss; null without resamples.</param>
/// <param name="IsExtrapolated">Whether the budget exceeds all in the data.</param>
public sealed record AllocationEstimate(
    Allocation Optimum, Interval? Parameters, Interval? Tokens, Interval? Loss, bool IsExtrapolated);

/// <summary>L(C) and the runs it is fitted to.</summary>
/// <param name="Fit">The law.</param>
/// <param name="Frontier">The compute-efficient runs, by ascending compute.</param>
/// <param name="IsZeroFloor">Whether L∞ was fixed at zero rather than fitted.</param>
public sealed record ComputeResult(Fitted<ComputeLaw> Fit, IReadOnlyList<ScalingPoint> Frontier, bool IsZeroFloor);
