using System.Collections;
using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using AnTransformer.Configuration;

namespace AnTransformer.Training.Configuration;

/// <summary>One field of a configuration: its key, type, range, default and description.</summary>
public sealed class ConfigurationField
{
    private readonly PropertyInfo[] _path;
    private readonly OneOfAttribute? _oneOf;
    private readonly InRangeAttribute? _range;

    internal ConfigurationField(IReadOnlyList<PropertyInfo> sections, PropertyInfo property, object defaults)
    {
        _path = [.. sections, property];
        Name = ScalarText.SnakeCase(property.Name);
        SectionName = string.Join('.', sections.Select(section => ScalarText.SnakeCase(section.Name)));
        SectionDescription = sections.Count == 0
            ? ""
            : sections[^1].GetCustomAttribute<DescriptionAttribute>()?.Description ?? "";
        Type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        if (!IsSupported(Type))
            throw new NotSupportedException(
                $"Field {Key} has type {property.PropertyType}, which no text can be bound to.");
        IsNullable = Nullable.GetUnderlyingType(property.PropertyType) is not null
            || new NullabilityInfoContext().Create(property).WriteState == NullabilityState.Nullable;
        Description = property.GetCustomAttribute<DescriptionAttribute>()?.Description ?? "";
        MayChangeOnResume = property.IsDefined(typeof(MayChangeOnResumeAttribute));
        _oneOf = property.GetCustomAttribute<OneOfAttribute>();
        _range = property.GetCustomAttribute<InRangeAttribute>();
        Pattern = property.GetCustomAttribute<MatchesAttribute>()?.Pattern;
        PatchedType = property.GetCustomAttribute<PatchOfAttribute>()?.Configuration;
        Default = Get(defaults);
    }

    /// <summary>The section, such as <c>optimizer</c>; empty for a field outside of all sections.</summary>
    public string SectionName { get; }

    /// <summary>What the section is for, in plain words; empty for a field outside of all sections.</summary>
    public string SectionDescription { get; }

    /// <summary>The key within the section, such as <c>learning_rate</c>.</summary>
    public string Name { get; }

    /// <summary>Section and key, such as <c>optimizer.learning_rate</c>.</summary>
    public string Key => SectionName.Length == 0 ? Name : $"{SectionName}.{Name}";

    /// <summary>
    /// The type of a value: bool, int, long, double, string, an enum, a list of texts or numbers, or a part of another
    /// configuration.
    /// </summary>
    public Type Type { get; }

    /// <summary>Whether the field may be null.</summary>
    public bool IsNullable { get; }

    /// <summary>The value when nothing is given.</summary>
    public object? Default { get; }

    /// <summary>What the field means, in plain words.</summary>
    public string Description { get; }

    /// <summary>
    /// The legal numbers in words, such as "at least 0 and less than 1"; null when any number or any other value is
    /// legal.
    /// </summary>
    public string? Range => _range?.ToString();

    /// <summary>The legal values of an enumerated field, in order; null for other fields.</summary>
    public IReadOnlyList<string>? Values
        => Type.IsEnum ? EnumSpelling.Words(Type) : _oneOf?.Values;

    /// <summary>What a text must match, in the regular expressions of JSON Schema; null for any text.</summary>
    internal string? Pattern { get; }

    /// <summary>Whether a run may resume with another value.</summary>
    public bool MayChangeOnResume { get; }

    /// <summary>
    /// The type in a word or two, for help: <c>number</c>, <c>whole number</c>, <c>text</c>,
    /// <c>cosine|wsd|constant</c>.
    /// </summary>
    public string TypeName
        => Values is { } values ? string.Join('|', values)
            : Type == typeof(bool) ? "true|false"
            : Type == typeof(double) ? "number"
            : Type == typeof(string) ? "text"
            : Type == typeof(ConfigurationPatch) ? "mapping"
            : IsList
                ? "list of "
                    + (ItemType == typeof(string) ? "texts" : ItemType == typeof(double) ? "numbers" : "whole numbers")
            : "whole number";

    /// <summary>The configuration that a patch has fields of; null for other fields.</summary>
    internal Type? PatchedType { get; }

    internal InRangeAttribute? Bounds => _range;

    internal bool IsList => Type.IsGenericType;

    /// <summary>The type of a list's entries; of another field's value.</summary>
    internal Type ItemType => IsList ? Type.GetGenericArguments()[0] : Type;

    /// <summary>What a value must be, to follow "must be": <c>a number greater than 0 or null</c>.</summary>
    internal string Expected
    {
        get
        {
            var what = Values is { } values ? $"one of {string.Join(", ", values)}"
                : Type == typeof(bool) ? "true or false"
                : IsList ? $"a {TypeName["list of ".Length..^1]}{(_range is null ? "" : " " + _range)} or a {TypeName}"
                : $"a {TypeName}{(_range is null ? "" : " " + _range)}";
            return what + (IsNullable ? " or null" : "");
        }
    }

    /// <summary>The value in a configuration.</summary>
    /// <param name="configuration">An object of the class the field belongs to.</param>
    public object? Get(object configuration)
        => _path.Aggregate<PropertyInfo, object?>(configuration, (owner, property) => property.GetValue(owner));

    /// <summary>The key, for debugging.</summary>
    public override string ToString() => Key;

    /// <summary>Whether properties of this type are fields; those of other classes are sections.</summary>
    internal static bool IsSupported(Type type)
    {
        var bare = Nullable.GetUnderlyingType(type) ?? type;
        return bare.IsEnum || bare == typeof(bool) || bare == typeof(int) || bare == typeof(long)
            || bare == typeof(double)
            || bare == typeof(string) || bare == typeof(ConfigurationPatch)
            || bare == typeof(List<string>) || bare == typeof(List<double>) || bare == typeof(List<long>);
    }

    /// <summary>Puts a value into a configuration that this field allows.</summary>
    internal void Set(object configuration, object? value)
        => _path[^1]
            .SetValue(_path[..^1].Aggregate(configuration, (owner, property) => property.GetValue(owner)!), value);

    /// <summary>Another list of the same entries.</summary>
    internal IList CopyOf(IList entries)
    {
        var list = (IList)Activator.CreateInstance(Type)!;
        foreach (var entry in entries)
            list.Add(entry);
        return list;
    }

    /// <summary>A list of values that texts denote.</summary>
    /// <exception cref="InvalidInputException">One of them denotes none that the field allows.</exception>
    internal IList ParseList(IEnumerable<(string Text, string Place)> entries)
    {
        var list = (IList)Activator.CreateInstance(Type)!;
        foreach (var (text, place) in entries)
            list.Add(Parse(text, place));
        return list;
    }

    /// <summary>The value that a text denotes; for a list, the value of one entry.</summary>
    /// <exception cref="InvalidInputException">
    /// It denotes none that the field allows; the message begins with the place.
    /// </exception>
    internal object Parse(string text, string place)
    {
        var value = ScalarText.Parse(text, ItemType);
        if (value is not null && Allows(value))
            return value;
        if (Type == typeof(int) && ScalarText.Parse(text, typeof(long)) is long large && large > int.MaxValue)
            throw new InvalidInputException(
                $"{place}: '{Key}' must be at most {int.MaxValue}, not '{Printable.Excerpt(text)}'.");
        throw Wrong(place, $"'{Printable.Excerpt(text)}'", Suggestion(text));
    }

    /// <summary>The error that something else stands where a value of this field should.</summary>
    internal InvalidInputException Wrong(string place, string found, string ending = ".")
        => new($"{place}: '{Key}' must be {Expected}, not {found}{ending}");

    private bool Allows(object value) => value switch
    {
        string text => _oneOf is null || _oneOf.Values.Contains(text),
        int or long or double => _range is null
            || _range.Contains(Convert.ToDouble(value, CultureInfo.InvariantCulture)),
        _ => true,
    };

    private string Suggestion(string text)
        => Values is { } values && NearestName.Of(text, values) is { } near ? $"; did you mean '{near}'?" : ".";
}
