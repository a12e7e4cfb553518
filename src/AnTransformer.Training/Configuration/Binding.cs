namespace AnTransformer.Training.Configuration;

/// <summary>
/// Fills one configuration, and remembers where each value came from so that a later complaint can name the place.
/// </summary>
/// <param name="configuration">The configuration, with its defaults.</param>
/// <param name="name">What errors call the file.</param>
internal sealed class Binding(object configuration, string name)
{
    private readonly ConfigurationSection _root = ConfigurationSection.Of(configuration.GetType());
    private readonly Dictionary<string, string> _files = [];
    private readonly Dictionary<string, string> _options = [];

    /// <summary>Takes in a file's values; null for an empty file.</summary>
    public void Apply(YamlValue? document)
    {
        if (document is not null)
            Apply(document, _root);
    }

    /// <summary>Takes in an option of the command line.</summary>
    public void Apply(string key, string value)
    {
        var bare = key.TrimStart('-');
        Apply(bare, value, "--" + bare);
    }

    /// <summary>Takes in a value that was given elsewhere than in the file, at a place that errors name.</summary>
    public void Apply(string key, string value, string place)
    {
        var field = FieldNames.Resolve(_root, key, place);
        field.Set(configuration, FromOption(field, value, place));
        _options[field.Key] = place;
    }

    /// <summary>Where a field's value came from.</summary>
    public string PlaceOf(string key) => PlaceOf([key]);

    /// <summary>Asks the configuration and its sections whether their fields fit together.</summary>
    public void Validate()
    {
        foreach (var section in _root.WithAllSections)
        {
            var problem = (section.Get(configuration) as IValidatable)?.Validate().FirstOrDefault();
            if (problem is not null)
            {
                var keys = problem.Keys.Select(key => section.Key.Length == 0 ? key : $"{section.Key}.{key}").ToList();
                throw new InvalidInputException($"{PlaceOf(keys)}: {problem.Message}.");
            }
        }
    }

    private static object? FromOption(ConfigurationField field, string value, string option)
    {
        if (field.IsNullable && (field.Type == typeof(string) ? value == "null" : ScalarText.IsNull(value)))
            return null;
        if (field.Type == typeof(ConfigurationPatch))
            return FromFile(field, YamlReader.Read(value, option) ?? new YamlText(option, "", IsPlain: true));
        if (!field.IsList)
            return field.Parse(value, option);
        if (value.StartsWith('['))
            return FromFile(field, YamlReader.Read(value, option)!);
        return field.ParseList(
            value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .Select(text => (text, option)));
    }

    private static object? FromFile(ConfigurationField field, YamlValue value)
    {
        switch (value)
        {
            case YamlMapping or YamlText { IsNull: true } when field.Type == typeof(ConfigurationPatch):
                return new ConfigurationPatch(value);
            case YamlText { IsNull: true }:
                return field.IsNullable ? null : throw field.Wrong(value.Place, "null");
            case YamlText text when field.IsList:
                return field.ParseList([Entry(field, text)]);
            case YamlText { IsPlain: false } text when field.Type != typeof(string) && field.Values is null:
                throw field.Wrong(text.Place, $"the text \"{Printable.Excerpt(text.Text)}\" in quotes");
            case YamlText text when field.Type != typeof(ConfigurationPatch):
                return field.Parse(text.Text, text.Place);
            case YamlList list when field.IsList:
                return field.ParseList(list.Items.Select(item => Entry(field, item)));
            default:
                throw field.Wrong(value.Place, Kind(value));
        }
    }

    private static (string Text, string Place) Entry(ConfigurationField field, YamlValue item)
        => item is YamlText { IsNull: false } text && (text.IsPlain || field.ItemType == typeof(string))
            ? (text.Text, text.Place)
            : throw field.Wrong(item.Place, Kind(item) + " within the list");

    private static string Kind(YamlValue value) => value switch
    {
        YamlList => "a list",
        YamlMapping => "a mapping",
        YamlText { IsNull: true } => "null",
        YamlText text => $"'{Printable.Excerpt(text.Text)}'",
        _ => "something else",
    };

    private void Apply(YamlValue value, ConfigurationSection section)
    {
        if (value is YamlText { IsNull: true })
            return;
        if (value is not YamlMapping mapping)
        {
            var what = section.Key.Length == 0 ? "a configuration" : $"'{section.Key}'";
            throw new InvalidInputException(
                $"{value.Place}: {what} must be a mapping of keys to values, not {Kind(value)}.");
        }

        foreach (var (key, entry) in mapping.Entries)
        {
            if (section.Fields.FirstOrDefault(field => field.Name == key.Text) is { } field)
            {
                field.Set(configuration, FromFile(field, entry));
                _files[field.Key] = entry.Place;
            }
            else if (section.Sections.FirstOrDefault(inner => inner.Name == key.Text) is { } inner)
            {
                Apply(entry, inner);
            }
            else
            {
                throw FieldNames.Unknown(_root, section, key);
            }
        }
    }

    /// <summary>
    /// An option that set one of the fields, since it changed what the file had in order; else the file's place.
    /// </summary>
    private string PlaceOf(IReadOnlyList<string> keys)
        => keys.Select(key => _options.GetValueOrDefault(key)).FirstOrDefault(place => place is not null)
            ?? keys.Select(key => _files.GetValueOrDefault(key)).FirstOrDefault(place => place is not null)
            ?? name;
}
