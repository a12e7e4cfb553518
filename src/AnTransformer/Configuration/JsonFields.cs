using System.Text.Json;

namespace AnTransformer.Configuration;

/// <summary>
/// Typed access to the fields of one JSON object that remembers which were asked for, so that the rest can be rejected.
/// </summary>
internal sealed class JsonFields
{
    private readonly Dictionary<string, JsonElement> _values = new(StringComparer.Ordinal);
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    public JsonFields(JsonElement json, string place)
    {
        Place = place;
        foreach (var property in json.EnumerateObject())
        {
            var name = Decode(() => property.Name, "a key");
            if (!_values.TryAdd(name, property.Value))
                throw new InvalidInputException($"{place}: '{Printable.Excerpt(name)}' is given twice; remove one.");
        }
    }

    public string Place { get; }

    /// <summary>Whether a key is there with another value than null; does not count as asking for it.</summary>
    public bool Has(string key) => _values.TryGetValue(key, out var value) && value.ValueKind != JsonValueKind.Null;

    public string RequiredString(string key) => String(key) ?? throw Missing(key);

    public int RequiredInt(string key) => Int(key) ?? throw Missing(key);

    public string? String(string key) => Find(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => Decode(() => value.GetString()!, key),
        { } value => throw Wrong(key, "a string", value),
    };

    public bool? Bool(string key) => Find(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { } value => throw Wrong(key, "true or false", value),
    };

    public int? Int(string key)
        => Find(key) is not { } value ? null
            : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number
            : throw Wrong(key, "a whole number", value);

    public double? Double(string key)
        => Find(key) is not { } value ? null
            : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) ? number
            : throw Wrong(key, "a number", value);

    public void RejectUnknown(HashSet<string> ignored, Dictionary<string, string> fixedValues)
    {
        foreach (var (key, value) in _values)
        {
            if (fixedValues.TryGetValue(key, out var only))
            {
                if (!string.Equals(
                    value.GetRawText().Replace("0.0", "0", StringComparison.Ordinal), only, StringComparison.Ordinal))
                    throw new InvalidInputException(
                        $"{Place}: {key} is {Printable.Excerpt(value.GetRawText())}, but these models support only "
                            + $"{only}.");
            }
            else if (!_known.Contains(key) && !ignored.Contains(key))
            {
                throw new InvalidInputException(
                    $"{Place}: unknown key '{Printable.Excerpt(key)}'{Nearest(key)}; remove it, since it might change "
                        + "what the model computes.");
            }
        }
    }

    // A string that escapes half a surrogate pair, or has bytes that are not UTF-8, is JSON but no text.
    private string Decode(Func<string> read, string what)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException e)
        {
            throw new InvalidInputException(
                $"{Place}: {what} is not valid Unicode (half a surrogate pair, or damaged bytes); correct it.", e);
        }
    }

    private JsonElement? Find(string key)
    {
        _known.Add(key);
        return _values.TryGetValue(key, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    private string Nearest(string key) => NearestName.Of(key, _known) is { } near ? $" (did you mean '{near}'?)" : "";

    private InvalidInputException Missing(string key)
    {
        var near = NearestName.Of(key, _values.Keys);
        var hint = near is null ? "" : $" (is '{Printable.Excerpt(near)}' meant?)";
        return new InvalidInputException($"{Place}: '{key}' is missing{hint}; add it.");
    }

    private InvalidInputException Wrong(string key, string expected, JsonElement value)
        => new($"{Place}: {key} must be {expected}, not {Printable.Excerpt(value.GetRawText())}.");
}
