namespace AnTransformer.Studies.Reporting;

/// <summary>What came out of a study so far, in a form that reports, consoles and other programs can show.</summary>
/// <param name="Lead">The finding in a sentence or two.</param>
/// <param name="Warnings">What a reader must know before believing it, a sentence each.</param>
/// <param name="Tables">Tables, the most important first.</param>
/// <param name="Figures">Figures.</param>
/// <param name="Data">The same figures for other programs, serializable as JSON.</param>
public sealed record StudyFindings(
    string Lead,
    IReadOnlyList<string> Warnings,
    IReadOnlyList<FindingsTable> Tables,
    IReadOnlyList<FindingsFigure> Figures,
    object Data);

/// <summary>A table.</summary>
/// <param name="Title">Its heading.</param>
/// <param name="Headers">Column titles.</param>
/// <param name="Rows">Cells, row by row.</param>
/// <param name="Note">How to read it; may be empty.</param>
public sealed record FindingsTable(string Title, IReadOnlyList<string> Headers, IReadOnlyList<IReadOnlyList<string>> Rows, string Note = "")
{
    /// <summary>The table without columns in which no row has anything, such as the size where there is but one.</summary>
    public FindingsTable WithoutEmptyColumns()
    {
        var kept = Enumerable.Range(0, Headers.Count).Where(i => i == 0 || Rows.Count == 0 || Rows.Any(row => row[i] is not ("" or Cells.Unknown))).ToList();
        return this with { Headers = kept.ConvertAll(i => Headers[i]), Rows = Rows.Select(row => (IReadOnlyList<string>)kept.ConvertAll(i => row[i])).ToList() };
    }
}

/// <summary>A figure.</summary>
/// <param name="Name">Its file's name without ending.</param>
/// <param name="Caption">What it shows.</param>
/// <param name="Draw">Draws it.</param>
public sealed record FindingsFigure(string Name, string Caption, Func<Chart> Draw);
