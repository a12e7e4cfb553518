using AnTransformer.Studies.Reporting;
using AnTransformer.Studies.Scaling.Fitting;
using AnTransformer.Studies.Scaling.Reporting;
using Spectre.Console;

namespace AnTransformer.Cli.Display;

/// <summary>Scaling laws on standard output.</summary>
internal sealed class ScalingTables
{
    private readonly ConsoleTables _tables = new();

    public void Print(ScalingFit fit, string? directory)
    {
        foreach (var note in fit.Table.Notes)
            Console.WriteLine(Printable.Line($"note: {note}"));
        foreach (var group in fit.Groups)
        {
            Console.WriteLine(Printable.Line(ScalingSections.Summary(group)));
            foreach (var note in group.Notes)
                Console.WriteLine(Printable.Line($"note: {note}"));
            Console.WriteLine();
            foreach (var section in ScalingSections.Of(group))
                Print(section);
            foreach (var warning in group.Warnings)
                Console.WriteLine(Printable.Line($"warning: {warning}"));
            if (group.Warnings.Count > 0)
                Console.WriteLine();
        }

        if (ScalingSections.Comparisons(fit) is { } comparisons)
            Print(comparisons);
        if (directory is not null)
            Console.WriteLine($"report: {Path.Combine(directory, "report.html")}");
    }

    private void Print(ReportTable section)
    {
        var table = _tables.Create([.. section.Headers]);
        foreach (var row in section.Rows)
            table.AddRow([.. row.Select(ConsoleTables.Cell)]);
        Console.WriteLine(Printable.Line(section.Title));
        _tables.Write(table);
    }
}
