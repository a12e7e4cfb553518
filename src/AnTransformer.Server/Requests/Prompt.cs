using System.Text.Json;

namespace AnTransformer.Server.Requests;

/// <summary>What is continued: a text, or token ids.</summary>
/// <param name="Text">The text, or null.</param>
/// <param name="Ids">The ids, not checked against a vocabulary, or null.</param>
internal sealed record Prompt(string? Text, int[]? Ids)
{
    private const string Form = "prompt must be a text, a list of texts, a list of token ids or a list of such lists";

    /// <summary>The field <c>prompt</c>, in any of OpenAI's four forms.</summary>
    /// <exception cref="ApiException">It has none of them.</exception>
    public static IReadOnlyList<Prompt> ReadAll(JsonFields fields)
    {
        if (fields.Find("prompt") is not { } value)
            throw ApiException.Invalid("prompt", $"{Form}; it is missing.");
        if (value.ValueKind != JsonValueKind.Array)
            return [OfText(value)];
        if (value.GetArrayLength() == 0)
            throw ApiException.Invalid("prompt", $"{Form}; the list is empty.");
        if (value[0].ValueKind == JsonValueKind.Number)
            return [new Prompt(null, ReadIds(value, "prompt"))];
        if (value.GetArrayLength() > RequestLimits.Sequences)
        {
            throw ApiException.Invalid(
                "prompt", $"A request may have {RequestLimits.Sequences} prompts; send several requests.");
        }

        return [
            .. value.EnumerateArray().Select(
                element => element.ValueKind == JsonValueKind.Array
                    ? new Prompt(null, ReadIds(element, "prompt"))
                    : OfText(element)),
        ];
    }

    /// <summary>A list of token ids.</summary>
    /// <exception cref="ApiException">It is none.</exception>
    public static int[] ReadIds(JsonElement list, string name)
    {
        if (list.ValueKind != JsonValueKind.Array)
            throw ApiException.Invalid(name, $"{name} must be a list of token ids.");
        var ids = new int[list.GetArrayLength()];
        var i = 0;
        foreach (var element in list.EnumerateArray())
        {
            ids[i++] = JsonFields.Whole(element) is { } id and >= 0 and <= int.MaxValue
                ? (int)id
                : throw ApiException.Invalid(name, $"{name}: token ids are whole numbers from 0.");
        }

        return ids;
    }

    private static Prompt OfText(JsonElement value)
        => new(JsonFields.Text(value) ?? throw ApiException.Invalid("prompt", $"{Form}."), null);
}
