using System.Collections;
using System.Text;

namespace AnTransformer.Training.Configuration;

/// <summary>
/// Writes a configuration as YAML: every field with its description above it, or what differs from the defaults alone.
/// </summary>
internal sealed class ConfigurationWriter
{
    private const int Columns = 100;
    private readonly StringBuilder _yaml = new();
    private readonly object _configuration;
    private readonly object _given;

    private ConfigurationWriter(object configuration, object given)
        => (_configuration, _given) = (configuration, given);

    /// <summary>The text; equal configurations give equal texts.</summary>
    /// <param name="configuration">What is written.</param>
    /// <param name="given">
    /// The configuration before its defaults were resolved: where it has a null and the other a value, the comment says
    /// so.
    /// </param>
    public static string Write(object configuration, object? given = null)
    {
        var writer = new ConfigurationWriter(configuration, given ?? configuration);
        writer.AppendSection(ConfigurationSection.Of(configuration.GetType()), indent: "");
        return writer._yaml.ToString();
    }

    /// <summary>The fields that have another value than their default, section by section, without comments.</summary>
    public static string WriteDifferences(object configuration)
    {
        var writer = new ConfigurationWriter(configuration, configuration);
        writer.AppendDifferences(ConfigurationSection.Of(configuration.GetType()), indent: "");
        return writer._yaml.Length == 0 ? "{}\n" : writer._yaml.ToString();
    }

    private void AppendSection(ConfigurationSection section, string indent)
    {
        foreach (var field in section.Fields)
        {
            AppendComment(_yaml, field.Description, indent);
            AppendComment(_yaml, Facts(field), indent);
            AppendValue(_yaml, field.Name, field.Get(_configuration), indent);
        }

        foreach (var inner in section.Sections)
        {
            if (_yaml.Length > 0)
                _yaml.Append('\n');
            AppendComment(_yaml, inner.Description, indent);
            _yaml.Append(indent).Append(inner.Name).Append(":\n");
            AppendSection(inner, indent + "  ");
        }
    }

    private void AppendDifferences(ConfigurationSection section, string indent)
    {
        foreach (var field in section.Fields.Where(field => Differs(field)))
            AppendValue(_yaml, field.Name, field.Get(_configuration), indent);
        foreach (var inner in section.Sections.Where(inner => inner.AllFields.Any(Differs)))
        {
            _yaml.Append(indent).Append(inner.Name).Append(":\n");
            AppendDifferences(inner, indent + "  ");
        }
    }

    private bool Differs(ConfigurationField field)
        => ScalarText.ToYaml(field.Get(_configuration)) != ScalarText.ToYaml(field.Default);

    private static void AppendValue(StringBuilder yaml, string name, object? value, string indent)
    {
        if (value is ConfigurationPatch patch && patch.Lines().ToList() is { Count: > 0 } lines)
        {
            yaml.Append(indent).Append(name).Append(":\n");
            lines.ForEach(line => yaml.Append(indent).Append("  ").Append(line).Append('\n'));
        }
        else if (value is IList list && indent.Length + name.Length + 2 + ScalarText.ToYaml(list).Length > Columns)
        {
            yaml.Append(indent).Append(name).Append(":\n");
            foreach (var entry in list)
                yaml.Append(indent).Append("  - ").Append(ScalarText.ToYaml(entry)).Append('\n');
        }
        else
        {
            yaml.Append(indent).Append(name).Append(": ").Append(ScalarText.ToYaml(value)).Append('\n');
        }
    }

    private string Facts(ConfigurationField field)
    {
        var expected = field.Expected;
        var article = expected.StartsWith("a ", StringComparison.Ordinal) ? 2 : 0;
        var resolved = field.Get(_given) is null && field.Get(_configuration) is { } value
            ? $", which is {ScalarText.ToYaml(value)} here"
            : "";
        return $"({expected[article..]}; default {Default(field.Default)}{resolved})";
    }

    private static string Default(object? value)
    {
        var text = ScalarText.ToYaml(value);
        return value is IList list && text.Length > Columns ? $"{list.Count} entries" : text;
    }

    private static void AppendComment(StringBuilder yaml, string text, string indent)
    {
        var line = new StringBuilder();
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && indent.Length + 2 + line.Length + 1 + word.Length > Columns)
            {
                yaml.Append(indent).Append("# ").Append(line).Append('\n');
                line.Clear();
            }

            line.Append(line.Length > 0 ? " " : "").Append(word);
        }

        if (line.Length > 0)
            yaml.Append(indent).Append("# ").Append(line).Append('\n');
    }
}
