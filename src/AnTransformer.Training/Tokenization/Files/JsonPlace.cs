using System.Text.Json;

namespace AnTransformer.Training.Tokenization.Files;

/// <summary>A value of a JSON file that knows where it stands, so that errors can say so.</summary>
internal readonly struct JsonPlace
{
    private readonly string _file;
    private readonly string _path;
    private readonly JsonElement _element;

    public JsonPlace(string file, JsonElement root)
        : this(file, "$", root)
    {
    }

    private JsonPlace(string file, string path, JsonElement element)
    {
        _file = file;
        _path = path;
        _element = element;
    }

    public JsonValueKind Kind => _element.ValueKind;

    public bool IsNull => Kind is JsonValueKind.Null or JsonValueKind.Undefined;

    /// <summary>Parses a file.</summary>
    public static JsonDocument Parse(string file, byte[] json)
    {
        try
        {
            ReadOnlyMemory<byte> content = json;
            return JsonDocument.Parse(content.Span.StartsWith("\uFEFF"u8) ? content[3..] : content);
        }
        catch (JsonException exception)
        {
            throw new InvalidInputException(
                $"{file}: not valid JSON at line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1}; "
                    + "the "
                + "file is damaged or incomplete.",
                exception);
        }
    }

    /// <summary>A member of this object; where there is none, a place whose value is null.</summary>
    public JsonPlace this[string name]
    {
        get
        {
            Require(JsonValueKind.Object, "an object");
            var (element, count, found) = (_element, 0, default(JsonElement));
            foreach (var member in element.EnumerateObject())
            {
                if (Decode(() => member.Name) != name)
                    continue;
                found = member.Value;
                if (++count > 1)
                    throw Error($"has \"{name}\" twice", "remove one of them");
            }

            return new JsonPlace(_file, $"{_path}.{name}", found);
        }
    }

    /// <summary>
    /// Refuses members of this object that nobody reads, since they might change what the file means.
    /// </summary>
    public void RequireKnown(params ReadOnlySpan<string> names)
    {
        foreach (var (name, value) in Members())
        {
            if (!names.Contains(name))
                throw value.Error("is not known", "use a tokenizer without it");
        }
    }

    public IEnumerable<(string Name, JsonPlace Value)> Members()
    {
        Require(JsonValueKind.Object, "an object");
        return Enumerate(this);

        static IEnumerable<(string, JsonPlace)> Enumerate(JsonPlace place)
        {
            foreach (var member in place._element.EnumerateObject())
            {
                var name = place.Decode(() => member.Name);
                yield return (name, new JsonPlace(place._file, $"{place._path}[\"{name}\"]", member.Value));
            }
        }
    }

    public IEnumerable<JsonPlace> Items()
    {
        Require(JsonValueKind.Array, "an array");
        return Enumerate(this);

        static IEnumerable<JsonPlace> Enumerate(JsonPlace place)
        {
            var index = 0;
            foreach (var item in place._element.EnumerateArray())
                yield return new JsonPlace(place._file, $"{place._path}[{index++}]", item);
        }
    }

    public string Text()
    {
        Require(JsonValueKind.String, "a string");
        var element = _element;
        return Decode(() => element.GetString()!);
    }

    public long Integer()
    {
        Require(JsonValueKind.Number, "a number");
        return _element.TryGetInt64(out var value) ? value : throw Error("is not an integer", "correct it");
    }

    public double Number()
    {
        Require(JsonValueKind.Number, "a number");
        return _element.GetDouble();
    }

    /// <summary>A truth value, or the default where the value is absent or null.</summary>
    public bool Flag(bool orElse) => Kind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Null or JsonValueKind.Undefined => orElse,
        _ => throw Error("is neither true nor false", "correct it"),
    };

    /// <summary>An error that names this place.</summary>
    /// <param name="what">What is wrong, a predicate.</param>
    /// <param name="remedy">What to do, an imperative.</param>
    /// <param name="cause">The error behind it.</param>
    public InvalidInputException Error(string what, string remedy, Exception? cause = null)
    {
        var message = $"{_file}: {Printable.Excerpt(_path, longest: 120)} {Printable.Excerpt(what, longest: 400)}; "
            + $"{remedy}.";
        return cause is null ? new InvalidInputException(message) : new InvalidInputException(message, cause);
    }

    private void Require(JsonValueKind kind, string description)
    {
        if (Kind == JsonValueKind.Undefined)
            throw Error("is missing", "the file is not a tokenizer of the expected kind, or is damaged");
        if (Kind != kind)
            throw Error($"is not {description}", "the file is not a tokenizer of the expected kind, or is damaged");
    }

    // A string that escapes half a surrogate pair is JSON but no text.
    private string Decode(Func<string> read)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException exception)
        {
            throw Error("holds a string that is not valid Unicode", "the file is damaged", exception);
        }
    }
}
