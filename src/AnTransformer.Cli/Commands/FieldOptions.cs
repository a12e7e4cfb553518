using System.CommandLine;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Cli.Commands;

/// <summary>
/// Makes an option of every configuration field: <c>--optimizer.learning_rate 1e-3</c>, and <c>--learning-rate 1e-3</c> where
/// no other section has a field of that name.
/// </summary>
internal static class FieldOptions
{
    public static IReadOnlyList<(string Key, Option<string?> Option)> AddTo(Command command, Type configuration)
    {
        var fields = ConfigurationBinder.Fields(configuration);
        var uses = fields.GroupBy(field => ShortName(field.Key)).ToDictionary(group => group.Key, group => group.Count());
        var taken = command.Options.SelectMany(option => option.Aliases.Append(option.Name)).ToHashSet(StringComparer.Ordinal);
        var options = new List<(string, Option<string?>)>();
        foreach (var field in fields)
        {
            var names = new HashSet<string>(StringComparer.Ordinal) { "--" + field.Key.Replace('_', '-') };
            if (uses[ShortName(field.Key)] == 1)
            {
                names.Add("--" + ShortName(field.Key));
                names.Add("--" + ShortName(field.Key).Replace('_', '-'));
            }

            names.Remove("--" + field.Key);
            names.RemoveWhere(taken.Contains);
            var option = new Option<string?>("--" + field.Key, [.. names]) { Description = field.Description, HelpName = field.TypeName };
            command.Options.Add(option);
            options.Add((field.Key, option));
        }

        return options;
    }

    public static List<(string Key, string Value)> Overrides(
        ParseResult parsed, IReadOnlyList<(string Key, Option<string?> Option)> options)
        => options
            .Where(item => parsed.GetResult(item.Option) is not null)
            .Select(item => (item.Key, parsed.GetValue(item.Option) ?? ""))
            .ToList();

    private static string ShortName(string key) => key[(key.LastIndexOf('.') + 1)..];
}
