using System.Collections;
using System.Text;

namespace AnTransformer.Training.Configuration;

/// <summary>Writes a configuration as YAML with the description of every field above it.</summary>
internal static class ConfigurationWriter
{
    private const int Columns = 100;

    /// <summary>The text; equal configurations give equal texts.</summary>
    public static string Write(object configuration)
    {
        var yaml = new StringBuilder();
        Append(yaml, configuration, ConfigurationSection.Of(configuration.GetType()), indent: "");
        return yaml.ToString();
    }

    private static void Append(StringBuilder yaml, object configuration, ConfigurationSection section, string indent)
    {
        foreach (var field in section.Fields)
        {
            AppendComment(yaml, field.Description, indent);
            AppendComment(yaml, Facts(field), indent);
            AppendValue(yaml, field.Name, field.Get(configuration), indent);
        }

        foreach (var inner in section.Sections)
        {
            if (yaml.Length > 0)
                yaml.Append('\n');
            AppendComment(yaml, inner.Description, indent);
            yaml.Append(indent).Append(inner.Name).Append(":\n");
            Append(yaml, configuration, inner, indent + "  ");
        }
    }

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

    private static string Facts(ConfigurationField field)
    {
        var expected = field.Expected;
        var article = expected.StartsWith("a ", StringComparison.Ordinal) ? 2 : 0;
        return $"({expected[article..]}; default {Default(field.Default)})";
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
