using System.CommandLine;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Cli.Commands;

/// <summary>
/// Makes an option of every configuration field: <c>--learning-rate 1e-3</c> where no other field has that name, else
/// <c>--evaluation.interval 50</c>. Section and name with underscores or hyphens, as the file has them, are accepted
/// always.
/// </summary>
internal static class FieldOptions
{
    public static IReadOnlyList<FieldOption> AddTo(Command command, Type configuration)
    {
        var fields = ConfigurationBinder.Fields(configuration);
        var uses = fields.GroupBy(field => field.Name).ToDictionary(group => group.Key, group => group.Count());
        var taken = command.Options.SelectMany(option => option.Aliases.Append(option.Name))
            .ToHashSet(StringComparer.Ordinal);
        var options = fields.Select(field => Create(field, isUnique: uses[field.Name] == 1, taken)).ToList();
        options.ForEach(command.Options.Add);
        return options;
    }

    /// <summary>
    /// Accepts the fields of several configurations without listing them. One option may stand for fields of several
    /// that share a name: what it sets is found by that name, once it is known which configuration is meant.
    /// </summary>
    public static IReadOnlyList<FieldOption> AddHidden(Command command, IEnumerable<Type> configurations)
    {
        var taken = command.Options.SelectMany(option => option.Aliases.Append(option.Name))
            .ToHashSet(StringComparer.Ordinal);
        var options = new List<FieldOption>();
        foreach (var fields in configurations.Select(ConfigurationBinder.Fields))
        {
            foreach (var field in fields)
            {
                var names = Spellings(field, isUnique: fields.Count(other => other.Name == field.Name) == 1)
                    .Where(taken.Add).ToList();
                if (names.Count > 0)
                    options.Add(new FieldOption(field, names[0], names.Skip(1)) { Hidden = true });
            }
        }

        options.ForEach(command.Options.Add);
        return options;
    }

    /// <summary>
    /// Fields given on the command line as the user spelled them, so that errors name them so, and their values.
    /// </summary>
    public static List<(string Key, string Value)> Overrides(ParseResult parsed, IReadOnlyList<FieldOption> options)
        => options
            .Where(option => parsed.GetResult(option) is not null)
            .Select(
                option => (parsed.GetResult(option)!.IdentifierToken?.Value.TrimStart('-') ?? option.Field.Key,
                    parsed.GetValue(option) ?? ""))
            .ToList();

    private static FieldOption Create(ConfigurationField field, bool isUnique, HashSet<string> taken)
    {
        // The first is what help shows.
        var names = Spellings(field, isUnique).Where(name => !taken.Contains(name)).ToList();
        return new FieldOption(field, names[0], names.Skip(1));
    }

    private static IEnumerable<string> Spellings(ConfigurationField field, bool isUnique)
    {
        string[] keys = isUnique ? [field.Name, field.Key] : [field.Key];
        return keys.SelectMany(key => new[] { "--" + OptionNames.Kebab(key), "--" + key })
            .Distinct(StringComparer.Ordinal);
    }
}
