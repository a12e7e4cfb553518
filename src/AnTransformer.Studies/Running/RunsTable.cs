using System.Globalization;
using System.Text;
using AnTransformer.Checkpoints;

namespace AnTransformer.Studies.Running;

/// <summary>The file <c>runs.csv</c>: a row per finished run, in the order of the study's agenda.</summary>
public static class RunsTable
{
    /// <summary>Column that says whether a run is at its cell's best learning rate.</summary>
    internal const string BestRateColumn = "is_best_rate";

    /// <summary>Column that says how a run ended.</summary>
    internal const string StatusColumn = "status";

    private static readonly string[] Figures =
    [
        "seed", "learning_rate", "batch_size", "params", "matrix_params", "tokens", "flops", StatusColumn, "loss",
        "bits_per_byte", "best_val_loss",
        "seconds", "tokens_per_second", "steps",
    ];

    /// <summary>Writes the table. Losses are validation losses in nats per token; a diverged run has none.</summary>
    /// <param name="path">The file.</param>
    /// <param name="runs">Finished runs; all with the same axes.</param>
    /// <param name="atBestRate">
    /// Names of the runs at the best learning rates; null for a study that does not tune, and for no such column.
    /// </param>
    /// <exception cref="InvalidInputException">It cannot be written.</exception>
    public static void Write(
        string path, IEnumerable<(PlannedRun Run, RunResult Result)> runs, IReadOnlySet<string>? atBestRate = null)
    {
        var rows = runs.DistinctBy(item => item.Run.Name).ToList();
        var axes = rows.SelectMany(item => item.Run.Axes).Select(axis => axis.Key).Distinct(StringComparer.Ordinal)
            .ToList();
        var text = new StringBuilder();
        Append(text, ["name", .. axes, .. Figures, .. Best(BestRateColumn)]);
        foreach (var (run, result) in rows)
        {
            var values = axes.Select(axis => run.Axes.FirstOrDefault(item => item.Key == axis).Value ?? "");
            Append(
                text,
                [run.Name, .. values, .. Cells(run, result), .. Best(
                    atBestRate?.Contains(run.Name) == true ? "true" : "false")]);
        }

        AtomicFile.WriteAllText(path, text.ToString());

        string[] Best(string cell) => atBestRate is null ? [] : [cell];
    }

    private static IEnumerable<string> Cells(PlannedRun run, RunResult result)
    {
        var training = run.Configuration.Training;
        return
        [
            Number(training.Seed), Number(run.Configuration.Optimizer.LearningRate), Number(
                training.BatchSize * (long)training.GradientAccumulation),
            Number(result.Params), Number(result.MatrixParams), Number(result.Tokens), Number(result.Flops),
            result.Status.ToString()
                .ToLowerInvariant(), Number(result.ValLoss), Number(result.BitsPerByte), Number(result.BestValLoss),
            Number(Math.Round(result.Seconds, 2)), Number(Math.Round(result.TokensPerSecond, 1)), Number(result.Steps),
        ];
    }

    private static string Number(IFormattable? value)
        => value?.ToString(format: null, CultureInfo.InvariantCulture) ?? "";

    private static void Append(StringBuilder text, IEnumerable<string> cells)
        => text.AppendJoin(',', cells.Select(Quote)).Append('\n');

    private static string Quote(string cell)
        => cell.AsSpan().IndexOfAny(",\"\r\n") < 0
            ? cell
            : $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
