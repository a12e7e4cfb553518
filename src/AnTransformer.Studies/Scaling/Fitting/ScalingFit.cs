using AnTransformer.Studies.Scaling.Tables;

namespace AnTransformer.Studies.Scaling.Fitting;

/// <summary>Scaling laws fitted to a table of runs.</summary>
/// <param name="Table">The runs.</param>
/// <param name="Options">How they were fitted.</param>
/// <param name="Groups">The fits, by group in the order of the table.</param>
/// <param name="Comparisons">Exponents of each pair of groups.</param>
public sealed record ScalingFit(
    ScalingTable Table, ScalingFitOptions Options, IReadOnlyList<GroupFit> Groups,
    IReadOnlyList<ExponentComparison> Comparisons)
{
    /// <summary>Fits laws to each group of a table.</summary>
    /// <param name="table">The runs.</param>
    /// <param name="options">How to fit.</param>
    /// <param name="cancellation">Stops between descents.</param>
    /// <exception cref="InvalidInputException">The rows of a group do not determine the law.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static ScalingFit Run(
        ScalingTable table, ScalingFitOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(table);
        options ??= new ScalingFitOptions();
        if (table.Points.Count == 0)
            throw new InvalidInputException($"{table.Name}: there are no rows to fit; add a row per run.");
        // Each group draws from seeds of its own, so that intervals of differences are of independent resamples.
        var fits = table.Points.GroupBy(point => point.Group)
            .Select(
                (group, index) => new GroupFitting(
                    group.Key, Place(table, group.Key), options, unchecked(options.Seed + (index * 7919)),
                    cancellation).Fit([.. group]))
            .ToList();
        return new ScalingFit(table, options, fits, ExponentComparison.All(fits));
    }

    private static string Place(ScalingTable table, string group)
        => group.Length == 0 ? table.Name : $"{table.Name}: group '{Printable.Excerpt(group)}'";
}
