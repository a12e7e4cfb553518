using System.Text.RegularExpressions;

namespace AnTransformer.Studies.Scaling.Tables;

/// <summary>The runs that laws are fitted to, and what was done to get them from a file.</summary>
/// <param name="Name">The file, as errors and reports name it.</param>
/// <param name="Points">The runs.</param>
/// <param name="Notes">What was derived or left out, one sentence each.</param>
public sealed partial record ScalingTable(string Name, IReadOnlyList<ScalingPoint> Points, IReadOnlyList<string> Notes)
{
    /// <summary>The 6 of C = 6 N D.</summary>
    public const double FlopsPerParameterToken = 6;

    /// <summary>Reads the runs of a file.</summary>
    /// <param name="path">A CSV file with a header row.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="computeOnly">Whether parameters and tokens are not needed where compute is given.</param>
    /// <param name="skipIncomplete">
    /// Whether rows with missing or non-finite values are left out rather than refused.
    /// </param>
    /// <exception cref="InvalidInputException">The file, a column or a value cannot be used.</exception>
    public static ScalingTable Load(
        string path, ScalingColumns columns, bool computeOnly = false, bool skipIncomplete = false)
        => Of(CsvTable.Load(path), columns, computeOnly, skipIncomplete);

    /// <summary>Takes the runs from a table.</summary>
    /// <param name="table">The table.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="computeOnly">Whether parameters and tokens are not needed where compute is given.</param>
    /// <param name="skipIncomplete">
    /// Whether rows with missing or non-finite values are left out rather than refused.
    /// </param>
    /// <exception cref="InvalidInputException">A column or a value cannot be used.</exception>
    public static ScalingTable Of(
        CsvTable table, ScalingColumns columns, bool computeOnly = false, bool skipIncomplete = false)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(columns);
        if (IsPerplexity(columns.Loss) && table.Has(columns.Loss))
        {
            throw new InvalidInputException(
                $"{table.Name}: column '{columns.Loss}' holds perplexities by its name, and laws are of losses; add a "
                    + "column with their natural logarithms and "
                + "name that one with --loss.");
        }

        var notes = new List<string>();
        table = StudyRuns.Select(table, columns.Loss, notes);
        string?[] named =
            [columns.Parameters ?? "params", columns.Tokens ?? "tokens", columns.Loss, columns.Flops,
                columns.LearningRate, columns.BatchSize];
        var notation = table.Notation(named.OfType<string>());
        var hasFlops = columns.Flops is not null;
        var flops = hasFlops ? Read(columns.Flops, "", "--flops", isOptional: false) : null;
        var parameters = Read(columns.Parameters, "params", "--params", isOptional: hasFlops);
        var tokens = Read(columns.Tokens, "tokens", "--tokens", isOptional: hasFlops);
        // Compute stands in for one of the two; of the two, parameters are what most tables have.
        if (parameters is null && tokens is null && !computeOnly)
            parameters = Read("params", "params", "--params", isOptional: false);
        var losses = Read(columns.Loss, "loss", "--loss", isOptional: false)!;
        var rates = columns.LearningRate is { } rate ? Read(rate, "", "--learning-rate", isOptional: false) : null;
        var batches = columns.BatchSize is { } batch ? Read(batch, "", "--batch-size", isOptional: false) : null;
        var groups = columns.Group is { } group ? table.Texts(group, "--group") : null;
        if (groups is not null && !skipIncomplete && groups.ToList().IndexOf("") is var row and >= 0)
            throw new InvalidInputException(
                $"{table.Name}:{table.Line(row)}: column '{Printable.Excerpt(columns.Group!)}': the group is missing; "
                    + "fill it in, or leave such rows out with --skip-incomplete.");
        if (hasFlops && parameters is not null && tokens is null)
            notes.Add($"tokens are compute over parameters: D = C / ({FlopsPerParameterToken} N)");
        if (hasFlops && parameters is null && tokens is not null)
            notes.Add($"parameters are compute over tokens: N = C / ({FlopsPerParameterToken} D)");
        var points = Enumerable.Range(0, table.RowCount).Select(Point).ToList();
        var complete = points.FindAll(
            point => (groups is null || point.Group.Length > 0)
                && IsComplete(
                    point, rates is not null, batches is not null,
                    computeOnly && (parameters is null || tokens is null)));
        if (complete.Count < points.Count)
            notes.Add($"{points.Count - complete.Count} of {points.Count} rows are incomplete and left out");
        return new ScalingTable(table.Name, complete, notes);

        double[]? Read(string? column, string byDefault, string option, bool isOptional)
            => column is null && isOptional && !table.Has(byDefault)
                ? null
                : table.Positive(column ?? byDefault, option, skipIncomplete, notation);

        ScalingPoint Point(int row)
        {
            var (n, d, c) = (parameters?[row], tokens?[row], flops?[row]);
            n ??= c / (FlopsPerParameterToken * d);
            d ??= c / (FlopsPerParameterToken * n);
            c ??= FlopsPerParameterToken * n * d;
            return new ScalingPoint(n ?? double.NaN, d ?? double.NaN, c ?? double.NaN, losses[row])
            {
                LearningRate = rates?[row] ?? double.NaN,
                BatchSize = batches?[row] ?? double.NaN,
                Group = groups?[row] ?? "",
            };
        }
    }

    private static bool IsComplete(ScalingPoint point, bool hasRates, bool hasBatches, bool computeOnly)
        => double.IsFinite(point.Loss) && double.IsFinite(point.Compute)
            && (computeOnly || (double.IsFinite(point.Parameters) && double.IsFinite(point.Tokens)))
            && (!hasRates || double.IsFinite(point.LearningRate)) && (!hasBatches || double.IsFinite(point.BatchSize));

    /// <summary>Whether a column is called perplexity or ppl, and not the logarithm of it.</summary>
    private static bool IsPerplexity(string column)
        => PerplexityName().IsMatch(column) && !LogarithmName().IsMatch(column);

    [GeneratedRegex("perplexity|(?<![a-z])ppl(?![a-z])", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture,
        Timeout.Infinite)]
    private static partial Regex PerplexityName();

    [GeneratedRegex("log|(?<![a-z])ln(?![a-z])", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture,
        Timeout.Infinite)]
    private static partial Regex LogarithmName();
}
