namespace AnTransformer.Studies.Inspection;

/// <summary>A table of an inspection, for a terminal or a page.</summary>
/// <param name="Title">What is in it.</param>
/// <param name="Note">How to read it, one or two sentences.</param>
/// <param name="Headers">Column titles.</param>
/// <param name="Rows">Cells, row by row, as many as titles.</param>
public sealed record InspectionTable(string Title, string Note, IReadOnlyList<string> Headers, IReadOnlyList<IReadOnlyList<string>> Rows);
