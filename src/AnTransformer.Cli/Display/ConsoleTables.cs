using Spectre.Console;

namespace AnTransformer.Cli.Display;

/// <summary>Tables on standard output: drawn on a terminal, Markdown elsewhere.</summary>
internal sealed class ConsoleTables
{
    private const int PlainWidth = 400;     // no terminal to fit into
    private readonly bool _isTerminal = AnsiConsole.Console.Profile.Out.IsTerminal;

    public static Text Cell(string text) => new(Printable.Line(text));

    /// <summary>A table without rows; the first column is aligned left, the others right.</summary>
    public Table Create(params IReadOnlyList<string> columns)
    {
        var table = new Table { Border = _isTerminal ? TableBorder.Rounded : TableBorder.Markdown };
        for (var i = 0; i < columns.Count; i++)
        {
            var column = new TableColumn(Cell(columns[i]));
            table.AddColumn(i == 0 ? column : column.RightAligned());
        }

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
        var console = AnsiConsole.Create(
            new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(plain) });
        console.Profile.Width = PlainWidth;
        console.Write(table);
        foreach (var line in plain.ToString().Split('\n').Select(line => line.TrimEnd()).Where(line => line.Length > 0))
            Console.WriteLine(line);
        Console.WriteLine();
    }
}
