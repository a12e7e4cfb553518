using System.Globalization;
using System.Text.Json.Nodes;

namespace AnTransformer.Evaluation.Data;

/// <summary>
/// One question as its file has it: fields by name, those of objects by their path, as in <c>choices.text</c>.
/// </summary>
/// <param name="fields">The fields.</param>
/// <param name="place">File and line or row, for errors.</param>
internal sealed class QuestionRow(JsonObject fields, string place)
{
    /// <summary>File and line or row, for errors.</summary>
    public string Place => place;

    /// <summary>Whether there is such a field.</summary>
    /// <param name="path">Its path.</param>
    public bool Has(string path) => Find(path) is not null;

    /// <summary>A text; a number is its digits.</summary>
    /// <param name="path">The field's path.</param>
    /// <exception cref="InvalidInputException">There is no such field, or it is neither text nor number.</exception>
    public string Text(string path) => Text(Required(path), path);

    /// <summary>A list of texts.</summary>
    /// <param name="path">The field's path. Of a list of objects each one's last part is meant.</param>
    /// <exception cref="InvalidInputException">There is no such field, or it is not a list of texts.</exception>
    public IReadOnlyList<string> Texts(string path)
    {
        var node = Find(path);
        if (node is JsonArray list)
            return [.. list.Select(item => Text(item, path))];
        // [{"text": …, "label": …}, …] as well as {"text": […], "label": […]}.
        var dot = path.LastIndexOf('.');
        if (node is null && dot > 0 && Find(path[..dot]) is JsonArray objects)
            return [.. objects.Select(item => Text((item as JsonObject)?[path[(dot + 1)..]], path))];
        throw node is null ? Missing(path) : Wrong(path, "a list of texts");
    }

    /// <summary>A whole number, which may be written as text.</summary>
    /// <param name="path">The field's path.</param>
    /// <exception cref="InvalidInputException">There is no such field, or it is no whole number.</exception>
    public int Number(string path)
        => int.TryParse(Text(path), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw Wrong(path, "a whole number");

    /// <summary>The error about a field.</summary>
    /// <param name="path">The field's path.</param>
    /// <param name="expected">What it should be.</param>
    public InvalidInputException Wrong(string path, string expected)
        => new($"{place}: the field \"{Printable.Excerpt(path)}\" is not {expected}; is this the task's file?");

    private JsonNode Required(string path) => Find(path) ?? throw Missing(path);

    private InvalidInputException Missing(string path)
        => new($"{place}: has no field \"{Printable.Excerpt(path)}\", only "
            + $"{string.Join(", ", fields.Take(12).Select(field => Printable.Excerpt(field.Key)))}; is this the task's "
            + "file?");

    private string Text(JsonNode? node, string path)
    {
        try
        {
            if (node is JsonValue value)
            {
                if (value.TryGetValue<string>(out var text))
                    return text;
                if (value.TryGetValue<long>(out var whole))
                    return whole.ToString(CultureInfo.InvariantCulture);
                if (value.TryGetValue<double>(out var number))
                    return number.ToString(CultureInfo.InvariantCulture);
            }
        }
        catch (InvalidOperationException e)
        {
            throw new InvalidInputException($"{place}: the field \"{Printable.Excerpt(path)}\" is no Unicode text.", e);
        }

        throw Wrong(path, "a text");
    }

    private JsonNode? Find(string path)
    {
        try
        {
            JsonNode? node = fields;
            foreach (var name in path.Split('.'))
                node = (node as JsonObject)?[name];
            return node;
        }
        catch (InvalidOperationException e)
        {
            throw new InvalidInputException($"{place}: a field's name is no Unicode text; mend the line.", e);
        }
    }
}
