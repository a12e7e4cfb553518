using AnTransformer.Cli.Benchmarking;
using Spectre.Console;

namespace AnTransformer.Cli.Display;

/// <summary>A benchmark as tables on standard output: drawn on a terminal, Markdown elsewhere.</summary>
internal sealed class BenchTables
{
    private readonly ConsoleTables _tables = new();

    public void Print(IReadOnlyList<EqualityCheck> checks)
    {
        if (checks.Count == 0)
            return;
        var table = Table(
            "same weights, same batch", "loss", "eager loss", "difference", "largest gradient difference", "in", "");
        foreach (var check in checks)
        {
            var equality = check.Equality;
            table.AddRow(
                Cell(check.Architecture),
                Cell($"{equality.Loss:f6}"),
                Cell($"{equality.ReferenceLoss:f6}"),
                Cell($"{equality.LossDifference:0.0e+0}"),
                Cell($"{equality.GradientDifference:0.0e+0}"),
                Cell(equality.Parameter),
                Cell(check.Passed ? "equal" : $"DIFFERENT (beyond {check.Tolerance:0e+0})"));
        }

        Write(table);
    }

    public void Print(BenchReport report)
    {
        Write(Steps(report));
        if (report.Lines.Any(line => line.PhaseShares is not null))
            Write(Phases(report));
        if (report.Ratios.Count > 0)
            Write(Ratios(report));
        Console.WriteLine(
            $"matrix products: {Figures.Count(report.MatmulRate)}FLOP/s, copies: {report.CopyRate / 1e9:f1} GB/s read "
                + "and written; "
            + "both are medians over the same rounds");
    }

    private Table Steps(BenchReport report)
    {
        var table = Table(
            "step", "ms (min - max)", "tokens/s", "of matmul rate", "update ms", "one read and write", "peak memory",
            "before the model");
        foreach (var line in report.Lines)
        {
            table.AddRow(
                Cell(line.Name),
                Cell(
                    $"{1e3 * line.SecondsPerStep.Median:f1} ({1e3 * line.SecondsPerStep.Lowest:f1} - "
                        + $"{1e3 * line.SecondsPerStep.Highest:f1})"),
                Cell($"{line.TokensPerSecond:f0}"),
                Cell($"{line.MatmulFraction:p1}"),
                Cell($"{1e3 * line.UpdateSeconds.Median:f2}"),
                Cell(
                    $"{1e3 * line.UpdateBoundSeconds:f2} ms (x "
                        + $"{line.UpdateSeconds.Median / line.UpdateBoundSeconds:f1})"),
                Cell(line.Memory is { } memory ? Megabytes(memory.PeakBytes) : "-"),
                Cell(line.Memory is { } before ? Megabytes(before.BaseBytes) : "-"));
        }

        return table;
    }

    private Table Phases(BenchReport report)
    {
        var profiled = report.Lines.Where(line => line.PhaseShares is not null).ToList();
        var table = Table(["share of time", .. profiled[0].PhaseShares!.Keys.Select(name => name.Replace('_', ' '))]);
        foreach (var line in profiled)
            table.AddRow([Cell(line.Name), .. line.PhaseShares!.Values.Select(share => Cell($"{share:p1}"))]);
        return table;
    }

    private Table Ratios(BenchReport report)
    {
        var table = Table("step time, round by round", "median", "95 % interval of the median", "min - max");
        foreach (var (name, value) in report.Ratios)
        {
            table.AddRow(
                Cell(name),
                Cell($"{value.Median:f3}"),
                Cell(value.MedianFrom is null ? "-" : $"{value.MedianFrom:f3} - {value.MedianTo:f3}"),
                Cell($"{value.Lowest:f3} - {value.Highest:f3}"));
        }

        return table;
    }

    private Table Table(params string[] columns) => _tables.Create(columns);

    private void Write(Table table) => _tables.Write(table);

    private static Text Cell(string text) => ConsoleTables.Cell(text);

    private static string Megabytes(long bytes) => $"{bytes / 1e6:f0} MB";
}
