using System.Globalization;
using System.Text.Json;

namespace AnTransformer.Server.Requests;

/// <summary>
/// The fields of a request, each read with its type and range. One that is missing or null has its default.
/// </summary>
/// <param name="root">An object.</param>
internal sealed class JsonFields(JsonElement root)
{
    /// <summary>A field, or null.</summary>
    public JsonElement? Find(string name)
        => root.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>A text, or null.</summary>
    public string? String(string name)
        => Find(name) is { } value ? Text(value) ?? throw ApiException.Invalid(name, $"{name} must be a text.") : null;

    /// <summary>A whole number within bounds, or null.</summary>
    public int? Int(string name, int lowest, int highest)
    {
        if (Find(name) is not { } value)
            return null;
        return Whole(value) is { } number && number >= lowest && number <= highest
            ? (int)number
            : throw ApiException.Invalid(name, Message($"{name} must be a whole number from {lowest} to {highest}."));
    }

    /// <summary>A whole number of 64 bits, or null.</summary>
    public long? Long(string name)
    {
        if (Find(name) is not { } value)
            return null;
        return Whole(value)
            ?? throw ApiException.Invalid(name, $"{name} must be a whole number of at most 64 bits.");
    }

    /// <summary>A number within bounds, or null.</summary>
    public double? Number(string name, double lowest, double highest)
    {
        if (Find(name) is not { } value)
            return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number >= lowest
            && number <= highest
            ? number
            : throw ApiException.Invalid(name, Message($"{name} must be a number from {lowest} to {highest}."));
    }

    /// <summary>True or false; false where it is missing.</summary>
    public bool Bool(string name, bool byDefault = false)
    {
        if (Find(name) is not { } value)
            return byDefault;
        return value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw ApiException.Invalid(name, $"{name} must be true or false."),
        };
    }

    /// <summary>An object, or null.</summary>
    public JsonFields? Object(string name)
    {
        if (Find(name) is not { } value)
            return null;
        return value.ValueKind == JsonValueKind.Object
            ? new JsonFields(value)
            : throw ApiException.Invalid(name, $"{name} must be an object.");
    }

    /// <summary>Refuses a field that would change the answer and is not known, unless it asks for nothing.</summary>
    public void RequireNothing(string name, string remedy)
    {
        var isNothing = Find(name) is not { } value || value.ValueKind switch
        {
            JsonValueKind.Number => value.TryGetDouble(out var number) && number == 0,
            JsonValueKind.String => Text(value) is { Length: 0 },
            JsonValueKind.Array => value.GetArrayLength() == 0,
            JsonValueKind.Object => !value.EnumerateObject().MoveNext(),
            JsonValueKind.False => true,
            _ => false,
        };
        if (!isNothing)
            throw ApiException.Invalid(name, $"{name} is not supported; {remedy}");
    }

    /// <summary>A text that is whole Unicode, or null.</summary>
    public static string? Text(JsonElement value)
    {
        try
        {
            return value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, or bytes that are no UTF-8.
            return null;
        }
    }

    /// <summary>A whole number, however it is written, or null.</summary>
    public static long? Whole(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Number)
            return null;
        if (value.TryGetInt64(out var number))
            return number;
        // 16.0 and 1e3 are whole numbers, too; beyond 2^53 a double does not say which.
        return value.TryGetDouble(out var real) && Math.Abs(real) <= 1L << 53 && Math.Floor(real) == real
            ? (long)real
            : null;
    }

    private static string Message(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
