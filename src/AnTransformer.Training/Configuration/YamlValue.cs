namespace AnTransformer.Training.Configuration;

/// <summary>
/// A YAML value with its place, as far as configurations use YAML: scalars, lists and mappings in one document.
/// </summary>
/// <param name="Place"><c>file:line:column</c>.</param>
internal abstract record YamlValue(string Place);

/// <summary>A scalar.</summary>
/// <param name="Place"><c>file:line:column</c>.</param>
/// <param name="Text">Its content.</param>
/// <param name="IsPlain">
/// Whether it is written without quotes, so that it may stand for null, a number or a truth value.
/// </param>
internal sealed record YamlText(string Place, string Text, bool IsPlain) : YamlValue(Place)
{
    public bool IsNull => IsPlain && ScalarText.IsNull(Text);
}

/// <summary>A list.</summary>
/// <param name="Place"><c>file:line:column</c>.</param>
/// <param name="Items">Its entries.</param>
internal sealed record YamlList(string Place, IReadOnlyList<YamlValue> Items) : YamlValue(Place);

/// <summary>A mapping; entries in the order of the file, no key twice.</summary>
/// <param name="Place"><c>file:line:column</c>.</param>
/// <param name="Entries">Keys and values.</param>
internal sealed record YamlMapping(
    string Place, IReadOnlyList<(YamlText Key, YamlValue Value)> Entries) : YamlValue(Place);
