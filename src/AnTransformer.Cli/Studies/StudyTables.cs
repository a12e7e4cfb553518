using AnTransformer.Cli.Display;
using AnTransformer.Studies.Reporting;
using Spectre.Console;

namespace AnTransformer.Cli.Studies;

/// <summary>Tables of findings on standard output.</summary>
internal static class StudyTables
{
    public static void Print(ReportTable findings)
    {
        var tables = new ConsoleTables();
        var table = tables.Create(findings.Headers);
        foreach (var row in findings.Rows)
            table.AddRow([.. row.Select(ConsoleTables.Cell)]);
        Console.WriteLine(findings.Title);
        tables.Write(table);
    }
}
