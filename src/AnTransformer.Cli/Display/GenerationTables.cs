using AnTransformer.Cli.Benchmarking.Generation;
using AnTransformer.Training.Benchmarking;
using Spectre.Console;

namespace AnTransformer.Cli.Display;

/// <summary>A benchmark of generation as a table on standard output.</summary>
internal static class GenerationTables
{
    /// <summary>Prints it.</summary>
    public static void Print(
        GenerationBenchSettings settings, IReadOnlyList<GenerationEquality> checks,
        IReadOnlyList<GenerationBenchLine> lines,
        Spread bandwidth)
    {
        var tables = new ConsoleTables();
        var table = tables.Create(
        [
            "tokens/s (min - max)", "weights", $"prefill {settings.PrefillTokens}", .. settings.Batches.Select(
                batch => $"decode x {batch}"),
            "bytes/token", "of bandwidth", "packed", "cache", "new process", "difference to LibTorch",
        ]);
        for (var i = 0; i < lines.Count; i++)
        {
            var line = lines[i];
            table.AddRow(
            [
                ConsoleTables.Cell(line.Name),
                ConsoleTables.Cell(line.Dtype),
                ConsoleTables.Cell(Text(line.PrefillTokensPerSecond)),
                .. settings.Batches.Select(batch => ConsoleTables.Cell(Text(line.DecodeTokensPerSecond[batch]))),
                ConsoleTables.Cell($"{line.BytesPerToken / 1e6:f1} MB"),
                ConsoleTables.Cell($"{line.BandwidthShare.Median:p0}"),
                ConsoleTables.Cell($"{line.PackedBytes / 1e6:f0} MB"),
                ConsoleTables.Cell($"{line.CacheBytes / 1e6:f1} MB"),
                ConsoleTables.Cell(line.ProcessSeconds is { } seconds ? $"{1e3 * seconds.Median:f0} ms" : "-"),
                ConsoleTables.Cell($"{checks[i].Difference:0.0e+0}"),
            ]);
        }

        tables.Write(table);
        Console.WriteLine(
            $"memory read in order: {bandwidth.Median / 1e9:f1} GB/s ({bandwidth.Lowest / 1e9:f1} - "
                + $"{bandwidth.Highest / 1e9:f1}); medians over "
            + "the same rounds");
    }

    private static string Text(Spread rate) => $"{rate.Median:f0} ({rate.Lowest:f0} - {rate.Highest:f0})";
}
