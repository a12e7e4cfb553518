namespace AnTransformer.Studies.Reporting;

/// <summary>A table of a report, for a terminal or a page.</summary>
/// <param name="Title">Its heading.</param>
/// <param name="Headers">Column titles.</param>
/// <param name="Rows">Cells, row by row, as many as titles.</param>
/// <param name="Note">How to read it; may be empty.</param>
public sealed record ReportTable(
    string Title, IReadOnlyList<string> Headers, IReadOnlyList<IReadOnlyList<string>> Rows, string Note = "")
{
    /// <summary>
    /// The table without columns in which no row has anything, such as the size where there is but one.
    /// </summary>
    public ReportTable WithoutEmptyColumns()
    {
        var kept = Enumerable.Range(0, Headers.Count)
            .Where(i => i == 0 || Rows.Count == 0 || Rows.Any(row => row[i] is not ("" or Cells.Unknown))).ToList();
        return this with
        {
            Headers = kept.ConvertAll(i => Headers[i]),
            Rows = Rows.Select(row => (IReadOnlyList<string>)kept.ConvertAll(i => row[i])).ToList(),
        };
    }
}
