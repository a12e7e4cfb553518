using System.Globalization;
using AnTransformer.Studies.Scaling.Tables;
using AnTransformer.Studies.Statistics;

namespace AnTransformer.Studies.Tests.Documentation;

/// <summary>The tables of runs in docs/experiments.</summary>
internal static class KeptRuns
{
    public static string Docs
    {
        get
        {
            var folder = AppContext.BaseDirectory;
            while (!File.Exists(Path.Combine(folder, "AnTransformer.slnx")))
                folder = Path.GetDirectoryName(folder)!;
            return Path.Combine(folder, "docs");
        }
    }

    /// <summary>Final losses by seed at a cell's best learning rate.</summary>
    /// <param name="table">Name of the table.</param>
    /// <param name="side">Value of its column side.</param>
    /// <param name="column">Another column that sets cells apart; empty for none.</param>
    /// <param name="value">Its value.</param>
    public static IReadOnlyDictionary<long, double> Losses(string table, string side, string column = "", string value = "")
        => Rows(table, ["side", "seed", "is_best_rate", "loss", .. column.Length > 0 ? new[] { column } : []])
            .Where(row => row["side"] == side && row["is_best_rate"] == "true" && (column.Length == 0 || row[column] == value))
            .ToDictionary(row => Whole(row["seed"]), row => Number(row["loss"]));

    /// <summary>Validation curves by seed.</summary>
    /// <param name="table">Name of a table of curves.</param>
    /// <param name="side">Value of its column side.</param>
    public static IReadOnlyDictionary<long, LossCurve> Curves(string table, string side)
        => Rows(table, ["side", "seed", "tokens", "loss"]).Where(row => row["side"] == side).GroupBy(row => Whole(row["seed"]))
            .ToDictionary(
                run => run.Key,
                run => new LossCurve([.. run.Select(row => Number(row["tokens"]))], [.. run.Select(row => Number(row["loss"]))]));

    private static IEnumerable<Dictionary<string, string>> Rows(string table, IReadOnlyList<string> columns)
    {
        var csv = CsvTable.Load(Path.Combine(Docs, "experiments", table + ".csv"));
        var texts = columns.Select(column => csv.Texts(column)).ToList();
        return Enumerable.Range(0, csv.RowCount)
            .Select(row => columns.Select((column, i) => (column, Text: texts[i][row])).ToDictionary(item => item.column, item => item.Text));
    }

    private static long Whole(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
