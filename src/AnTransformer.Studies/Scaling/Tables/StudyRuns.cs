using AnTransformer.Studies.Running;

namespace AnTransformer.Studies.Scaling.Tables;

/// <summary>
/// What of a study's <c>runs.csv</c> a law may be fitted to: not the runs that only served to find the learning rate,
/// which would be points of higher loss at the same parameters and tokens, and not those that diverged.
/// </summary>
internal static class StudyRuns
{
    private const string True = "true";
    private static readonly string Completed = nameof(RunEnding.Completed).ToLowerInvariant();

    /// <summary>The rows to fit; all of them when the table is not a study's.</summary>
    public static CsvTable Select(CsvTable table, string lossColumn, List<string> notes)
    {
        if (table.Has(RunsTable.StatusColumn) && table.Has(lossColumn))
        {
            var (status, loss) = (table.Texts(RunsTable.StatusColumn), table.Texts(lossColumn));
            table = Keep(
                table, row => loss[row].Length > 0 || status[row].Length == 0 || status[row] == Completed,
                "did not complete", notes);
        }

        if (table.Has(RunsTable.BestRateColumn))
        {
            var isBest = table.Texts(RunsTable.BestRateColumn);
            table = Keep(
                table, row => isBest[row] == True, $"are not at the best learning rate ({RunsTable.BestRateColumn})",
                notes);
        }

        return table;
    }

    private static CsvTable Keep(CsvTable table, Func<int, bool> keep, string why, List<string> notes)
    {
        var kept = table.Where(keep);
        if (kept.RowCount < table.RowCount)
            notes.Add($"{table.RowCount - kept.RowCount} of {table.RowCount} rows {why} and are left out");
        return kept;
    }
}
