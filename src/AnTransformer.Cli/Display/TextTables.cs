using Spectre.Console;

namespace AnTransformer.Cli.Display;

/// <summary>Tables on standard output: drawn on a terminal, Markdown elsewhere, where a line is a row however wide.</summary>
internal sealed class TextTables
{
    private const int PlainWidth = 400;     // no terminal to fit into
    private readonly bool _isTerminal = AnsiConsole.Console.Profile.Out.IsTerminal;

    /// <summary>A table whose first column is text and whose others are figures.</summary>
    public Table Create(IEnumerable<string> columns)
    {
        var table = new Table { Border = _isTerminal ? TableBorder.Rounded : TableBorder.Markdown };
        foreach (var column in columns)
            table.AddColumn(table.Columns.Count == 0 ? new TableColumn(Cell(column)) : new TableColumn(Cell(column)).RightAligned());
        return table;
    }

    public void Write(Table table)
    {
        if (_isTerminal)
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

    public static Text Cell(string text) => new(text);
}
