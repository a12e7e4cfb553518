namespace AnTransformer.Training.Configuration;

/// <summary>Finds fields by what users call them, and says what an unknown name was probably meant to be.</summary>
internal static class FieldNames
{
    /// <summary>
    /// The field of a command-line name: the dotted key, or its last part where no other section has a field of that
    /// name. Hyphens equal underscores.
    /// </summary>
    /// <exception cref="InvalidInputException">There is none, or there are several.</exception>
    public static ConfigurationField Resolve(ConfigurationSection root, string name, string place)
    {
        var key = name.Replace('-', '_');
        var fields = root.AllFields.ToList();
        if (fields.Find(field => field.Key == key) is { } exact)
            return exact;
        var sharing = fields.Where(field => field.Name == key).ToList();
        return sharing.Count switch
        {
            1 => sharing[0],
            0 => throw new InvalidInputException(
                $"{place}: unknown field '{Printable.Excerpt(key)}'{Suggestion(root, root, key)}"),
            _ => throw new InvalidInputException(
                $"{place}: '{Printable.Excerpt(key)}' is a field of several sections; give one of "
                + $"{string.Join(", ", sharing.Select(field => field.Key))}."),
        };
    }

    /// <summary>The error that a section of a file has no such key.</summary>
    public static InvalidInputException Unknown(ConfigurationSection root, ConfigurationSection section, YamlText key)
    {
        var full = section.Key.Length == 0 ? key.Text : $"{section.Key}.{key.Text}";
        var suggestion = Suggestion(root, section, key.Text);
        return new InvalidInputException($"{key.Place}: unknown key '{Printable.Excerpt(full)}'{suggestion}");
    }

    /// <summary>
    /// A near name in the section itself, else a field of another section; else all there is to choose from.
    /// </summary>
    private static string Suggestion(ConfigurationSection root, ConfigurationSection section, string name)
    {
        var own = section.Fields.Select(field => field.Name).Concat(section.Sections.Select(inner => inner.Name))
            .ToList();
        var elsewhere = root.AllFields.ToList();
        var near = NearestName.Of(name, own)
            ?? elsewhere.Find(field => field.Name == name)?.Key
            ?? NearestName.Of(name, elsewhere.Select(field => field.Key));
        if (near is not null)
            return $"; did you mean '{near}'?";
        var last = name[(name.LastIndexOf('.') + 1)..];
        var nearLast = NearestName.Of(last, elsewhere.Select(field => field.Name));
        return nearLast is null
            ? $"; it must be one of {string.Join(", ", own)}."
            : $"; did you mean '{elsewhere.First(field => field.Name == nearLast).Key}'?";
    }
}
