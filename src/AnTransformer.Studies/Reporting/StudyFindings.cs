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
    IReadOnlyList<ReportTable> Tables,
    IReadOnlyList<FindingsFigure> Figures,
    object Data);

/// <summary>A figure.</summary>
/// <param name="Name">Its file's name without ending.</param>
/// <param name="Caption">What it shows.</param>
/// <param name="Draw">Draws it.</param>
public sealed record FindingsFigure(string Name, string Caption, Func<Chart> Draw);
