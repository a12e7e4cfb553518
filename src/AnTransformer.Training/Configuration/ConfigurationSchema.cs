using System.Collections;
using System.Globalization;
using System.Text.Json.Nodes;
using AnTransformer.Configuration;

namespace AnTransformer.Training.Configuration;

/// <summary>
/// Describes a configuration class as a JSON Schema, from the same attributes that the binder checks values by.
/// </summary>
internal sealed class ConfigurationSchema
{
    private const string Draft = "https://json-schema.org/draft/2020-12/schema";

    // Readers of YAML 1.2, editors among them, take digits in groups (1_000_000) for a text; the binder takes them for
    // a number.
    private const string GroupedDigits = @"^[-+]?[0-9]+(_[0-9]+)+(\.[0-9]+)?([eE][-+]?[0-9]+)?$";

    private readonly JsonObject _definitions = [];

    /// <summary>The schema of a class's files.</summary>
    public static JsonObject Of(Type type, string title)
    {
        var schema = new ConfigurationSchema();
        var root = new JsonObject { ["$schema"] = Draft, ["title"] = title };
        foreach (var (key, value) in schema.Section(ConfigurationSection.Of(type)))
            root[key] = value?.DeepClone();
        if (schema._definitions.Count > 0)
            root["$defs"] = schema._definitions;
        return root;
    }

    private JsonObject Section(ConfigurationSection section)
    {
        var properties = new JsonObject();
        foreach (var field in section.Fields)
            properties[field.Name] = Field(field);
        foreach (var inner in section.Sections)
            properties[inner.Name] = Section(inner);
        var schema = new JsonObject
        {
            // A section that is left empty is null to a reader of YAML.
            ["type"] = new JsonArray("object", "null"),
            ["properties"] = properties,
            ["additionalProperties"] = false,
        };
        if (section.Description.Length > 0)
            schema["description"] = section.Description;
        return schema;
    }

    private JsonObject Field(ConfigurationField field)
    {
        var schema = new JsonObject { ["description"] = field.Description };
        if (field.PatchedType is { } patched)
        {
            schema["$ref"] = Definition(patched);
            return schema;
        }

        var one = Value(field);
        if (field.IsList)
        {
            var types = (JsonArray)one["type"]!.DeepClone();
            types.Add("array");
            schema["type"] = types;
            foreach (var (key, value) in one.Where(entry => entry.Key != "type"))
                schema[key] = value?.DeepClone();
            schema["items"] = one;
        }
        else
        {
            foreach (var (key, value) in one)
                schema[key] = value?.DeepClone();
        }

        if (field.IsNullable)
        {
            (schema["type"] as JsonArray)?.Add("null");
            (schema["enum"] as JsonArray)?.Add(null);
        }

        schema["default"] = Json(field.Default);
        return schema;
    }

    /// <summary>What one value must be; of a list, one entry.</summary>
    private static JsonObject Value(ConfigurationField field)
    {
        var type = field.ItemType;
        if (field.Values is { } words)
        {
            return new JsonObject
            {
                ["type"] = new JsonArray("string"),
                ["enum"] = new JsonArray([.. words.Select(word => (JsonNode)word)]),
            };
        }

        if (type == typeof(string))
        {
            var text = new JsonObject { ["type"] = new JsonArray("string") };
            if (field.Pattern is { } pattern)
                text["pattern"] = pattern;
            return text;
        }

        if (type == typeof(bool))
            return new JsonObject { ["type"] = new JsonArray("boolean") };
        if (type == typeof(ConfigurationPatch))
            return new JsonObject { ["type"] = new JsonArray("object") };
        var schema = new JsonObject
        {
            ["type"] = new JsonArray(type == typeof(double) ? "number" : "integer", "string"),
            ["pattern"] = GroupedDigits,
        };
        if (field.Bounds is { } bounds)
            AddBounds(schema, bounds);
        if (type == typeof(int))
            schema.TryAdd("maximum", int.MaxValue);
        return schema;
    }

    private static void AddBounds(JsonObject schema, InRangeAttribute bounds)
    {
        if (double.IsFinite(bounds.Lowest))
            schema[bounds.ExcludesLowest ? "exclusiveMinimum" : "minimum"] = Number(bounds.Lowest);
        if (double.IsFinite(bounds.Highest))
            schema[bounds.ExcludesHighest ? "exclusiveMaximum" : "maximum"] = Number(bounds.Highest);
    }

    private string Definition(Type type)
    {
        var name = ScalarText.SnakeCase(type.Name);
        if (!_definitions.ContainsKey(name))
        {
            _definitions[name] = new JsonObject();
            _definitions[name] = Section(ConfigurationSection.Of(type));
        }

        return $"#/$defs/{name}";
    }

    private static JsonNode? Json(object? value) => value switch
    {
        null => null,
        bool flag => flag,
        double number => Number(number),
        int or long => Convert.ToInt64(value, CultureInfo.InvariantCulture),
        IList list => new JsonArray([.. list.Cast<object>().Select(Json)]),
        string text => text,
        Enum word => EnumSpelling.Of(word),
        _ => new JsonObject(),
    };

    private static JsonValue Number(double value)
        => value == Math.Floor(value) && Math.Abs(value) < 1e15
            ? JsonValue.Create((long)value)
            : JsonValue.Create(value);
}
