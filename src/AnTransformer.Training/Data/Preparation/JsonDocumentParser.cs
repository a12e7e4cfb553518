using System.Buffers;
using System.Text;
using System.Text.Json;

namespace AnTransformer.Training.Data.Preparation;

/// <summary>
/// Finds the text field of a JSON object. A null text is an empty document, of several fields with the name the last
/// counts. Bytes that are not UTF-8 are kept; an escaped surrogate without its other half, which no encoding of Unicode
/// can express, becomes U+FFFD, in names as in texts. <c>NaN</c>, <c>Infinity</c> and <c>-Infinity</c>, which are no
/// JSON but what Python writes, are numbers.
/// </summary>
internal sealed class JsonDocumentParser(string path, string field)
{
    // The reader keeps a bit for each level, so the length of a document bounds its depth well enough.
    private static readonly JsonReaderOptions AnyDepth = new() { MaxDepth = int.MaxValue };

    private readonly byte[] _field = Encoding.UTF8.GetBytes(field);

    /// <summary>Whether an error was about the JSON, rather than about the file that holds it.</summary>
    public bool FoundMalformed { get; private set; }

    /// <param name="json">One JSON value.</param>
    /// <param name="place">Where it is: "line 3".</param>
    /// <returns>The text, in memory of its own.</returns>
    /// <exception cref="InvalidInputException">It is no JSON object with the text field.</exception>
    public ReadOnlyMemory<byte> Parse(ReadOnlySpan<byte> json, string place)
    {
        try
        {
            return Read(json, place);
        }
        catch (JsonException exception)
        {
            if (PythonNumbers.Replace(json) is { } standard)
            {
                try
                {
                    return Read(standard, place);
                }
                catch (JsonException second)
                {
                    exception = second;
                }
            }

            throw Malformed(
                place, $"is not valid JSON at byte {exception.BytePositionInLine ?? 0}; correct it or leave it out",
                exception);
        }
    }

    /// <summary>An error about the JSON.</summary>
    /// <param name="place">Where it is: "line 3".</param>
    /// <param name="what">What is wrong and what to do.</param>
    /// <param name="inner">The error behind it.</param>
    public InvalidInputException Malformed(string place, string what, Exception? inner = null)
    {
        FoundMalformed = true;
        var message = $"'{path}' {place} {what}.";
        return inner is null ? new InvalidInputException(message) : new InvalidInputException(message, inner);
    }

    private ReadOnlyMemory<byte> Read(ReadOnlySpan<byte> json, string place)
    {
        ReadOnlyMemory<byte>? text = null;
        var reader = new Utf8JsonReader(json, AnyDepth);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
            throw Malformed(place, "is not a JSON object; each must be one, with the text in a field");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isText = IsField(ref reader);
            reader.Read();
            if (!isText)
                reader.Skip();
            else if (reader.TokenType is JsonTokenType.String or JsonTokenType.Null)
                text = reader.TokenType == JsonTokenType.Null ? ReadOnlyMemory<byte>.Empty : Unescape(ref reader);
            else
                throw Malformed(
                    place, $"has a field \"{field}\" that is no string; name the field that holds the text");
        }

        reader.Read(); // Anything after the object is an error.
        return text ?? throw Malformed(place, $"has no field \"{field}\"; name the field that holds the text");
    }

    private bool IsField(ref Utf8JsonReader reader)
    {
        var name = reader.ValueSpan;
        if (!reader.ValueIsEscaped)
            return name.SequenceEqual(_field);
        if (name.Length < _field.Length)
            return false;
        var buffer = ArrayPool<byte>.Shared.Rent(name.Length);
        var same = buffer.AsSpan(0, LenientJsonString.Unescape(name, buffer)).SequenceEqual(_field);
        ArrayPool<byte>.Shared.Return(buffer);
        return same;
    }

    private static ReadOnlyMemory<byte> Unescape(ref Utf8JsonReader reader)
    {
        var value = reader.ValueSpan;
        if (!reader.ValueIsEscaped)
            return value.ToArray();
        var text = GC.AllocateUninitializedArray<byte>(value.Length);
        try
        {
            return text.AsMemory(0, reader.CopyString(text));
        }
        catch (InvalidOperationException)
        {
            // Invalid UTF-8 or a lone surrogate: the strict way refuses the whole string.
            return text.AsMemory(0, LenientJsonString.Unescape(value, text));
        }
    }
}
