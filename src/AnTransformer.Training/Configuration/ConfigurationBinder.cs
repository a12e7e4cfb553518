using System.Text;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace AnTransformer.Training.Configuration;

/// <summary>A configuration that checks how its fields fit together.</summary>
public interface IValidatable
{
    /// <summary>Checks the fields.</summary>
    /// <param name="place">What an error names as the source.</param>
    /// <exception cref="InvalidInputException">They do not fit together.</exception>
    void Validate(string place);
}

/// <summary>Reads configurations from YAML and the command line, and writes them back with comments.</summary>
public static class ConfigurationBinder
{
    private const int CommentWidth = 120;

    /// <summary>All fields of a configuration class.</summary>
    /// <param name="type">A class whose properties are sections.</param>
    public static IReadOnlyList<ConfigurationField> Fields(Type type) => ConfigurationField.Of(type);

    /// <summary>Reads a file, then applies overrides.</summary>
    /// <typeparam name="T">A class whose properties are sections.</typeparam>
    /// <param name="path">A YAML file.</param>
    /// <param name="overrides">Dotted keys and values, as the command line gives them.</param>
    /// <exception cref="InvalidInputException">
    /// The file cannot be read, is malformed, has an unknown key, or a value of the wrong type or range; the message gives
    /// file, line and column, or the option.
    /// </exception>
    public static T Load<T>(string path, IReadOnlyList<(string Key, string Value)> overrides)
        where T : IValidatable, new()
    {
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"{path}: the configuration cannot be read ({e.Message.TrimEnd('.')}).", e);
        }

        return Parse<T>(text, path, overrides);
    }

    /// <summary>Reads YAML text, then applies overrides.</summary>
    /// <typeparam name="T">A class whose properties are sections.</typeparam>
    /// <param name="yaml">The text.</param>
    /// <param name="path">What errors call it.</param>
    /// <param name="overrides">Dotted keys and values, as the command line gives them.</param>
    /// <exception cref="InvalidInputException">As <see cref="Load"/>.</exception>
    public static T Parse<T>(string yaml, string path, IReadOnlyList<(string Key, string Value)> overrides)
        where T : IValidatable, new()
    {
        var configuration = new T();
        var fields = Fields(typeof(T));
        foreach (var (section, sectionNode) in Mapping(Root(yaml, path), path, "the configuration"))
        {
            var own = fields.Where(field => field.SectionName == section).ToDictionary(field => field.Name);
            if (own.Count == 0)
                throw Unknown(Place(path, sectionNode), "section", section, fields.Select(field => field.SectionName).Distinct());
            if (IsNull(sectionNode))
                continue;
            foreach (var (key, node) in Mapping(sectionNode, path, $"section '{section}'"))
            {
                if (!own.TryGetValue(key, out var field))
                    throw Unknown(Place(path, node), "key", $"{section}.{key}", own.Values.Select(candidate => candidate.Key));
                field.Set(configuration, Texts(node, path, field), Place(path, node));
            }
        }

        foreach (var (key, value) in overrides)
        {
            var normalized = key.Replace('-', '_');
            var field = fields.FirstOrDefault(candidate => candidate.Key == normalized)
                ?? throw Unknown("--" + key, "field", normalized, fields.Select(candidate => candidate.Key));
            field.Set(configuration, FromOption(field, value), "--" + key);
        }

        configuration.Validate(overrides.Count == 0 ? path : path + " with the options given");
        return configuration;
    }

    /// <summary>The YAML text of a configuration, every field commented. Reading it gives an equal configuration.</summary>
    /// <param name="configuration">The configuration.</param>
    public static string Write(object configuration)
    {
        var yaml = new StringBuilder();
        foreach (var section in Fields(configuration.GetType()).GroupBy(field => field.SectionName))
        {
            yaml.Append(yaml.Length > 0 ? "\n" : "").Append(section.Key).Append(":\n");
            foreach (var field in section)
            {
                foreach (var line in Wrap(field.Description))
                    yaml.Append("  # ").Append(line).Append('\n');
                yaml.Append("  ").Append(field.Name).Append(": ").Append(ConfigurationField.ToYaml(field.Get(configuration))).Append('\n');
            }
        }

        return yaml.ToString();
    }

    /// <summary>Fields that differ, as <c>key: old → new</c>, but for those that may change on resuming.</summary>
    /// <param name="before">A configuration.</param>
    /// <param name="after">Another of the same class.</param>
    public static IReadOnlyList<string> Differences(object before, object after)
        => Fields(before.GetType())
            .Where(field => !field.MayChangeOnResume)
            .Select(field => (field.Key, Before: ConfigurationField.ToYaml(field.Get(before)), After: ConfigurationField.ToYaml(field.Get(after))))
            .Where(item => item.Before != item.After)
            .Select(item => $"{item.Key}: {item.Before} → {item.After}")
            .ToList();

    private static YamlNode? Root(string yaml, string path)
    {
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(yaml));
            return stream.Documents.Count == 0 ? null : stream.Documents[0].RootNode;
        }
        catch (YamlException e)
        {
            throw new InvalidInputException($"{path}:{e.Start.Line}:{e.Start.Column}: not valid YAML: {e.Message.ReplaceLineEndings(" ").TrimEnd('.')}.", e);
        }
    }

    private static IEnumerable<(string Key, YamlNode Value)> Mapping(YamlNode? node, string path, string what)
    {
        if (node is null)
            yield break;
        if (node is not YamlMappingNode mapping)
            throw new InvalidInputException($"{Place(path, node)}: {what} must be a mapping of keys to values.");
        foreach (var (key, value) in mapping.Children)
        {
            var name = (key as YamlScalarNode)?.Value
                ?? throw new InvalidInputException($"{Place(path, key)}: keys of {what} must be plain names.");
            yield return (name, value);
        }
    }

    private static List<string>? Texts(YamlNode node, string path, ConfigurationField field)
    {
        if (IsNull(node))
            return null;
        return node switch
        {
            YamlScalarNode scalar => [scalar.Value ?? ""],
            YamlSequenceNode sequence => sequence.Children
                .Select(child => (child as YamlScalarNode)?.Value
                    ?? throw new InvalidInputException($"{Place(path, child)}: the entries of {field.Key} must be plain texts."))
                .ToList(),
            _ => throw new InvalidInputException($"{Place(path, node)}: {field.Key} must be a {field.TypeName}, not a mapping."),
        };
    }

    private static string[]? FromOption(ConfigurationField field, string value)
    {
        if (field.IsNullable && string.Equals(value, "null", StringComparison.OrdinalIgnoreCase))
            return null;
        return field.TypeName == "list of texts" ? value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) : [value];
    }

    private static bool IsNull(YamlNode node)
        => node is YamlScalarNode { Style: ScalarStyle.Plain, Value: null or "" or "~" or "null" or "Null" or "NULL" };

    private static string Place(string path, YamlNode node) => $"{path}:{node.Start.Line}:{node.Start.Column}";

    private static InvalidInputException Unknown(string place, string kind, string name, IEnumerable<string> candidates)
    {
        var near = NearestName.Of(name, candidates);
        return new InvalidInputException($"{place}: unknown {kind} '{name}'{(near is null ? "; remove it." : $"; did you mean '{near}'?")}");
    }

    private static IEnumerable<string> Wrap(string text)
    {
        var line = new StringBuilder();
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && line.Length + word.Length + 1 > CommentWidth)
            {
                yield return line.ToString();
                line.Clear();
            }

            line.Append(line.Length > 0 ? " " : "").Append(word);
        }

        if (line.Length > 0)
            yield return line.ToString();
    }
}
