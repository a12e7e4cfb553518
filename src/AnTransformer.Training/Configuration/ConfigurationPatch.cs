namespace AnTransformer.Training.Configuration;

/// <summary>
/// Fields of a configuration as a file gives them, to be laid over another's: as a field of a second configuration it
/// is a mapping whose keys are checked when it is applied. Every value keeps its place in the file for errors.
/// </summary>
public sealed class ConfigurationPatch
{
    internal ConfigurationPatch(YamlValue? value) => Value = value;

    /// <summary>No fields at all.</summary>
    public static ConfigurationPatch Empty { get; } = new(value: null);

    /// <summary>The keys at the top, in the order of the file; none when it holds anything but a mapping.</summary>
    public IReadOnlyList<string> Keys
        => Value is YamlMapping mapping ? [.. mapping.Entries.Select(entry => entry.Key.Text)] : [];

    internal YamlValue? Value { get; }

    /// <summary>The fields as YAML in flow style: <c>{model: {hidden_size: 64}}</c>.</summary>
    public override string ToString() => Text(Value);

    /// <summary>The fields as YAML in block style, a line each.</summary>
    internal IEnumerable<string> Lines() => Lines(Value, "");

    private static IEnumerable<string> Lines(YamlValue? value, string indent)
        => value is not YamlMapping mapping
            ? []
            : mapping.Entries.SelectMany(entry => entry.Value is YamlMapping { Entries.Count: > 0 } inner
            ? Lines(inner, indent + "  ").Prepend($"{indent}{entry.Key.Text}:")
            : [$"{indent}{entry.Key.Text}: {Text(entry.Value)}"]);

    private static string Text(YamlValue? value) => value switch
    {
        YamlMapping mapping => "{"
            + string.Join(", ", mapping.Entries.Select(entry => $"{entry.Key.Text}: {Text(entry.Value)}")) + "}",
        YamlList list => "[" + string.Join(", ", list.Items.Select(Text)) + "]",
        YamlText { IsPlain: true } text when text.Text.IndexOfAny([',', '[', ']', '{', '}', ':', '#']) < 0 => text.Text,
        YamlText text => ScalarText.ToYaml(text.Text),
        _ => "{}",
    };
}
