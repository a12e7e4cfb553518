using System.Collections;
using System.CommandLine;
using AnTransformer.Cli.Commands;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Cli.Help;

/// <summary>What help says about one option or argument.</summary>
internal static class OptionText
{
    /// <summary>
    /// Its one name, a letter if it has one, and what its value is: <c>-o, --output &lt;text&gt;</c>.
    /// </summary>
    public static string Names(Option option)
    {
        var letters = option.Aliases.Where(
            alias => alias.Length == 2 && alias[0] == '-' && char.IsAsciiLetter(alias[1]));
        return string.Concat(letters.Select(letter => letter + ", ")) + Usage(option);
    }

    /// <summary>How it is typed: <c>--output &lt;text&gt;</c>.</summary>
    public static string Usage(Option option) => option.Name + (Value(option) is { } value ? $" <{value}>" : "");

    /// <summary>What it means, and in brackets its key in the file, the values it may have, and its default.</summary>
    public static string Description(Option option) => option switch
    {
        FieldOption { Field: var field } => WithDetails(
            field.Description, [field.Key, field.Range, $"default {ConfigurationBinder.Text(field.Default)}"]),
        _ => WithDetails(
            option.Description,
            [
                option.Required ? "required" : null,
                (option as IRanged)?.Range,
                Default(option.HasDefaultValue ? option.GetDefaultValue() : null),
            ]),
    };

    public static string Name(Argument argument)
    {
        var name = $"<{argument.Name}>{(argument.Arity.MaximumNumberOfValues > 1 ? "..." : "")}";
        return argument.Arity.MinimumNumberOfValues == 0 || argument.HasDefaultValue ? $"[{name}]" : name;
    }

    public static string Description(Argument argument)
        => WithDetails(argument.Description, [Default(argument.HasDefaultValue ? argument.GetDefaultValue() : null)]);

    private static string? Value(Option option)
    {
        if (option.HelpName is { } name)
            return name;
        if (option.Arity.MaximumNumberOfValues == 0 || option.ValueType == typeof(bool))
            return null;
        var type = Nullable.GetUnderlyingType(option.ValueType) ?? option.ValueType;
        return type.IsEnum ? string.Join('|', Enum.GetNames(type).Select(value => value.ToLowerInvariant()))
            : type == typeof(int) || type == typeof(long) ? "whole number"
            : type == typeof(double) ? "number"
            : type == typeof(double[]) ? "numbers"
            : "text";
    }

    private static string? Default(object? value) => value switch
    {
        null or false or "" => null,
        ICollection { Count: 0 } => null,
        string[] several => $"default {string.Join(' ', several)}",
        _ => $"default {ConfigurationBinder.Text(value)}",
    };

    private static string WithDetails(string? description, IEnumerable<string?> details)
    {
        var known = string.Join("; ", details.Where(detail => !string.IsNullOrEmpty(detail)));
        return known.Length == 0 ? description ?? "" : $"{description} [{known}]";
    }
}
