using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using System.Text;

namespace AnTransformer.Training.Configuration;

/// <summary>One field of a configuration: its place, type, default and description.</summary>
public sealed class ConfigurationField
{
    private readonly PropertyInfo _section;
    private readonly PropertyInfo _property;

    private ConfigurationField(PropertyInfo section, PropertyInfo property, object defaults)
    {
        (_section, _property) = (section, property);
        SectionName = SnakeCase(section.Name);
        Name = SnakeCase(property.Name);
        Description = property.GetCustomAttribute<DescriptionAttribute>()?.Description ?? "";
        Default = property.GetValue(section.GetValue(defaults));
        MayChangeOnResume = property.GetCustomAttribute<MayChangeOnResumeAttribute>() is not null;
        IsNullable = Nullable.GetUnderlyingType(property.PropertyType) is not null
            || new NullabilityInfoContext().Create(property).WriteState == NullabilityState.Nullable;
    }

    /// <summary>The section, such as <c>optimizer</c>.</summary>
    public string SectionName { get; }

    /// <summary>The key within the section, such as <c>learning_rate</c>.</summary>
    public string Name { get; }

    /// <summary>Section and key, such as <c>optimizer.learning_rate</c>.</summary>
    public string Key => $"{SectionName}.{Name}";

    /// <summary>What the field means, in plain words.</summary>
    public string Description { get; }

    /// <summary>The value when a file does not give one.</summary>
    public object? Default { get; }

    /// <summary>Whether a run may resume with another value.</summary>
    public bool MayChangeOnResume { get; }

    /// <summary>Whether the field may be null.</summary>
    public bool IsNullable { get; }

    /// <summary>The type in words.</summary>
    public string TypeName
        => _property.GetCustomAttribute<OneOfAttribute>() is { } legal ? string.Join('|', legal.Values)
            : ValueType == typeof(bool) ? "true|false"
            : ValueType == typeof(double) ? "number"
            : ValueType == typeof(string) ? "text"
            : ValueType == typeof(int) || ValueType == typeof(long) ? "whole number"
            : "list of texts";

    private Type ValueType => Nullable.GetUnderlyingType(_property.PropertyType) ?? _property.PropertyType;

    /// <summary>All fields of a configuration class, in the order of declaration.</summary>
    /// <param name="type">A class whose properties are sections.</param>
    public static IReadOnlyList<ConfigurationField> Of(Type type)
    {
        var defaults = Activator.CreateInstance(type)!;
        return type.GetProperties()
            .SelectMany(section => section.PropertyType.GetProperties().Select(property => new ConfigurationField(section, property, defaults)))
            .ToList();
    }

    /// <summary>The value in a configuration.</summary>
    /// <param name="configuration">The configuration.</param>
    public object? Get(object configuration) => _property.GetValue(_section.GetValue(configuration));

    /// <summary>Sets the value from texts.</summary>
    /// <param name="configuration">The configuration.</param>
    /// <param name="texts">One text, or several for a list; null for null.</param>
    /// <param name="place">What an error names as the source.</param>
    /// <exception cref="InvalidInputException">The value has the wrong type or is out of range.</exception>
    public void Set(object configuration, IReadOnlyList<string>? texts, string place)
        => _property.SetValue(_section.GetValue(configuration), Parse(texts, place));

    /// <summary>The YAML text of a value.</summary>
    /// <param name="value">A value of the field.</param>
    public static string ToYaml(object? value) => value switch
    {
        null => "null",
        bool flag => flag ? "true" : "false",
        double number => number.ToString("R", CultureInfo.InvariantCulture),
        string text => Quote(text),
        IEnumerable<string> list => "[" + string.Join(", ", list.Select(Quote)) + "]",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static string Quote(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var c in text)
        {
            quoted.Append(c switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\t' => "\\t",
                < ' ' or '\x7f' or '\x85' or '\u2028' or '\u2029' or '\ufeff' => $"\\u{(int)c:x4}",
                _ => c.ToString(),
            });
        }

        return quoted.Append('"').ToString();
    }

    private static string SnakeCase(string name)
    {
        var snake = new StringBuilder();
        foreach (var c in name)
        {
            if (char.IsUpper(c) && snake.Length > 0)
                snake.Append('_');
            snake.Append(char.ToLowerInvariant(c));
        }

        return snake.ToString();
    }

    private object? Parse(IReadOnlyList<string>? texts, string place)
    {
        if (texts is null)
            return IsNullable ? null : throw Wrong(place, "null");
        if (ValueType == typeof(List<string>))
            return texts.ToList();
        if (texts.Count != 1)
            throw Wrong(place, "a list");
        var text = texts[0];
        if (ValueType == typeof(string))
            return ParseText(text, place);
        if (ValueType == typeof(bool))
            return bool.TryParse(text, out var flag) ? flag : throw Wrong(place, $"'{text}'");
        var digits = text.Replace("_", "", StringComparison.Ordinal);
        if (!double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || double.IsNaN(number))
            throw Wrong(place, $"'{text}'");
        if (ValueType != typeof(double) && (number != Math.Floor(number) || Math.Abs(number) > 1L << 53))
            throw Wrong(place, $"'{text}'");
        if (_property.GetCustomAttribute<InRangeAttribute>() is { } range && (number < range.Lowest || number > range.Highest))
            throw new InvalidInputException($"{place}: {Key} must lie between {range.Lowest:R} and {range.Highest:R}, not {text}.");
        if (ValueType == typeof(int) && (number > int.MaxValue || number < int.MinValue))
            throw new InvalidInputException($"{place}: {Key} must lie between {int.MinValue} and {int.MaxValue}, not {text}.");
        return Convert.ChangeType(number, ValueType, CultureInfo.InvariantCulture);
    }

    private string ParseText(string text, string place)
    {
        if (_property.GetCustomAttribute<OneOfAttribute>() is not { } legal)
            return text;
        var lower = text.ToLowerInvariant();
        if (legal.Values.Contains(lower))
            return lower;
        var near = NearestName.Of(text, legal.Values);
        throw new InvalidInputException(
            $"{place}: {Key} must be one of {string.Join(", ", legal.Values)}, not '{text}'{(near is null ? "" : $" (did you mean '{near}'?)")}.");
    }

    private InvalidInputException Wrong(string place, string found)
        => new($"{place}: {Key} must be a {TypeName}{(IsNullable ? " or null" : "")}, not {found}.");
}
