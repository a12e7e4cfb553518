using System.CommandLine;
using AnTransformer.Cli.Commands;

namespace AnTransformer.Cli.Help;

/// <summary>
/// The help of a command: what it does, its arguments, its options, and the fields of its configuration section by
/// section, each under one name. No line is longer than the width.
/// </summary>
internal sealed class HelpPage
{
    private const int Margin = 2;
    private const int Gap = 2;
    private const int Column = 28;          // where descriptions begin
    private const int NarrowColumn = 6;     // on a terminal that leaves no room beside names
    private const int RoomyWidth = 64;
    private readonly List<string> _lines = [];
    private readonly int _width;
    private readonly int _column;

    private HelpPage(int width) => (_width, _column) = (width, width < RoomyWidth ? NarrowColumn : Column);

    /// <summary>The help of a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="path">Its name with those of the commands above it.</param>
    /// <param name="width">The most characters in a line, at least 20.</param>
    public static IReadOnlyList<string> Lines(Command command, string path, int width)
    {
        var page = new HelpPage(width);
        page.Add(command, path);
        return page._lines;
    }

    private void Add(Command command, string path)
    {
        Paragraph(command.Description ?? "", indent: 0);
        AddUsage(command, path);
        AddRows(
            "Arguments",
            command.Arguments.Select(argument => (OptionText.Name(argument), OptionText.Description(argument))));
        AddRows("Commands", command.Subcommands.SelectMany(Leaves));
        var options = OptionsOf(command).Where(option => !option.Hidden).ToList();
        AddRows("Options", options.Where(option => option is not FieldOption).Select(Row));
        AddFields(options.OfType<FieldOption>().ToList());
        if (command is RootCommand)
            AddRows("Exit codes", ExitCodes.Meanings.Select(code => ($"{code.Code}", code.Meaning)));
        else
            Paragraph("\nExit codes are listed by `angpt --help`.", indent: 0);
    }

    private void AddUsage(Command command, string path)
    {
        Heading("Usage");
        var parts = command.Options.Where(option => option is { Required: true, Hidden: false })
            .Select(OptionText.Usage);
        var usage = command.Subcommands.Count > 0
            ? $"{path} <command> [options]"
            : string.Join(' ', [path, .. command.Arguments.Select(OptionText.Name), .. parts, "[options]"]);
        Paragraph(usage, Margin);
    }

    private void AddFields(List<FieldOption> fields)
    {
        if (fields.Count == 0)
            return;
        Heading("Fields of the configuration");
        Paragraph(
            "They win over the file. In brackets: the key in the file, the values it may have, and the default of a "
                + "field that is given "
            + "neither here nor in the file.",
            Margin);
        foreach (var section in fields.GroupBy(option => option.Field.SectionName))
        {
            _lines.Add("");
            if (section.Key.Length > 0)
                Paragraph($"{section.Key}: {section.First().Field.SectionDescription}", indent: 0);
            foreach (var option in section)
                AddRow(Row(option));
        }
    }

    private void AddRows(string heading, IEnumerable<(string Left, string Right)> rows)
    {
        var all = rows.ToList();
        if (all.Count == 0)
            return;
        Heading(heading);
        all.ForEach(AddRow);
    }

    private void AddRow((string Left, string Right) row)
    {
        var right = TextWrapping.Wrap(row.Right, _width - _column).ToList();
        if (Margin + row.Left.Length + Gap <= _column)
        {
            _lines.Add((new string(' ', Margin) + row.Left).PadRight(_column) + right[0]);
            right.RemoveAt(0);
        }
        else
        {
            Paragraph(row.Left, Margin);
        }

        _lines.AddRange(right.Select(line => new string(' ', _column) + line));
    }

    private void Heading(string text)
    {
        _lines.Add("");
        Paragraph(text + ":", indent: 0);
    }

    private void Paragraph(string text, int indent)
        => _lines.AddRange(
            TextWrapping.Wrap(text, _width - indent).Select(line => (new string(' ', indent) + line).TrimEnd()));

    private static (string Left, string Right) Row(Option option)
        => (OptionText.Names(option), OptionText.Description(option));

    private static IEnumerable<(string Name, string Description)> Leaves(Command command)
        => command.Hidden ? []
            : command.Subcommands.Count == 0 ? [(command.Name, command.Description?.Split('\n')[0] ?? "")]
            : command.Subcommands.SelectMany(Leaves).Select(leaf => ($"{command.Name} {leaf.Name}", leaf.Description));

    /// <summary>Its own, and those of the commands above it that hold below.</summary>
    private static IEnumerable<Option> OptionsOf(Command command)
        => command.Options.Concat(
            command.Parents.OfType<Command>().SelectMany(OptionsOf).Where(option => option.Recursive)).Distinct();
}
