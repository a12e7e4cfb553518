using AnTransformer.Studies.Reporting;
using Spectre.Console;

namespace AnTransformer.Cli.Studies;

/// <summary>Tables of findings on standard output: drawn on a terminal, Markdown elsewhere.</summary>
internal static class StudyTables
{
    private const int PlainWidth = 400;

    public static void Print(FindingsTable findings)
    {
        var isTerminal = AnsiConsole.Profile.Out.IsTerminal;
        var table = new Table { Border = isTerminal ? TableBorder.Rounded : TableBorder.Markdown };
        foreach (var (header, i) in findings.Headers.Select((header, i) => (header, i)))
            table.AddColumn(i == 0 ? new TableColumn(new Text(header)) : new TableColumn(new Text(header)).RightAligned());
        foreach (var row in findings.Rows)
            table.AddRow(row.Select(cell => new Text(cell)));
        Console.WriteLine(findings.Title);
        if (isTerminal)
        {
            AnsiConsole.Write(table);
            return;
        }

        // Spectre draws the edges that Markdown does not have as lines of spaces.
        using var plain = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(plain) });
        console.Profile.Width = PlainWidth;
        console.Write(table);
        foreach (var line in plain.ToString().Split('\n').Select(line => line.TrimEnd()).Where(line => line.Length > 0))
            Console.WriteLine(line);
        Console.WriteLine();
    }
}
