using System.CommandLine;
using AnTransformer.Cli.Commands;

namespace AnTransformer.Cli;

/// <summary>
/// Spellings of options: one is shown, others are accepted, and a wrong one is answered with the right one.
/// </summary>
internal static class OptionNames
{
    /// <summary>A key of a file as options are spelled.</summary>
    public static string Kebab(string key) => key.Replace('_', '-');

    /// <summary>
    /// Lets underscores stand for hyphens in the names of a command's options, and of the commands below it.
    /// </summary>
    public static void AcceptUnderscores(Command command)
    {
        var taken = command.Options.SelectMany(Spellings).ToHashSet(StringComparer.Ordinal);
        foreach (var option in command.Options.Where(option => option.Name.StartsWith("--", StringComparison.Ordinal)))
        {
            var underscored = "--" + option.Name[2..].Replace('-', '_');
            if (taken.Add(underscored))
                option.Aliases.Add(underscored);
        }

        foreach (var inner in command.Subcommands)
            AcceptUnderscores(inner);
    }

    /// <summary>What to say behind an option that a command does not have; empty when nothing is near.</summary>
    /// <param name="command">The command.</param>
    /// <param name="name">The option as given.</param>
    public static string Suggestion(Command command, string name)
    {
        var bare = Kebab(name.TrimStart('-'));
        var options = command.Options.Where(option => !option.Hidden || option is FieldOption).ToList();
        var sharing = options.OfType<FieldOption>().Where(option => Kebab(option.Field.Name) == bare)
            .Select(option => option.Name).ToList();
        if (sharing.Count > 1)
            return $", a field of several sections; give one of {string.Join(", ", sharing)}";
        var near = NearestName.Of("--" + bare, options.SelectMany(Spellings));
        if (near is not null)
            return $"; did you mean '{options.Find(option => Spellings(option).Contains(near))!.Name}'?";
        const int most = 4;
        var containing = bare.Length < 3
            ? []
            : options.ConvertAll(option => option.Name)
                .FindAll(option => option.Contains(bare, StringComparison.OrdinalIgnoreCase));
        return containing.Count is > 0 and <= most
            ? $"; did you mean {string.Join(" or ", containing.Select(option => $"'{option}'"))}?"
            : "";
    }

    private static IEnumerable<string> Spellings(Option option) => option.Aliases.Prepend(option.Name);
}
