using System.Text;
using System.Text.Json;

namespace AnTransformer.Training.Data.Preparation;

/// <summary>
/// Reads the text field of each line of a JSON Lines file. Blank lines are skipped, a null text is an empty document, of
/// several fields with the name the last counts. Bytes that are not UTF-8 are kept; an escaped surrogate without its other
/// half, which no encoding of Unicode can express, becomes U+FFFD.
/// </summary>
internal sealed class JsonLinesReader(string path, DocumentSourceOptions options) : DocumentReader
{
    // JSON itself sets no limit; this one only keeps memory bounded.
    private const int MaxDepth = 1000;

    private readonly ByteWindow _window = new(path, 1 << 18);
    private readonly byte[] _field = Encoding.UTF8.GetBytes(options.TextField);
    private long _line;

    public override string Location => $"line {_line}";

    public override long Position => _window.FilePosition;

    public override bool TryRead(out ReadOnlyMemory<byte> text)
    {
        while (TryFindLine(out var length, out var consumed))
        {
            _line++;
            var line = _window.Bytes[..length];
            if (line.IndexOfAnyExcept(" \t\r"u8) < 0)
            {
                _window.Consume(consumed);
                continue;
            }
            text = Parse(line);
            _window.Consume(consumed);
            return true;
        }
        text = default;
        return false;
    }

    public override void Dispose() => _window.Dispose();

    private bool TryFindLine(out int length, out int consumed)
    {
        var searched = 0;
        while (true)
        {
            var found = _window.Bytes[searched..].IndexOf((byte)'\n');
            if (found >= 0)
            {
                length = searched + found;
                consumed = length + 1;
                return true;
            }
            searched = _window.Bytes.Length;
            if (searched > options.MaxDocumentBytes)
            {
                throw new InvalidInputException($"'{path}' has a line of more than {options.MaxDocumentBytes} bytes after " +
                    $"{Location}; split the document.");
            }
            if (!_window.Fill())
            {
                length = consumed = searched;
                return searched > 0;
            }
        }
    }

    private ReadOnlyMemory<byte> Parse(ReadOnlySpan<byte> line)
    {
        ReadOnlyMemory<byte>? text = null;
        try
        {
            var reader = new Utf8JsonReader(line, new JsonReaderOptions { MaxDepth = MaxDepth });
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
                throw Malformed("is not a JSON object; each line must be one, with the text in a field");
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isText = reader.ValueTextEquals(_field);
                reader.Read();
                if (!isText)
                    reader.Skip();
                else if (reader.TokenType is JsonTokenType.String or JsonTokenType.Null)
                    text = reader.TokenType == JsonTokenType.Null ? ReadOnlyMemory<byte>.Empty : Unescape(ref reader);
                else
                    throw Malformed(
                        $"has a field \"{options.TextField}\" that is no string; name the field that holds the text");
            }
            reader.Read(); // Anything after the object is an error.
        }
        catch (JsonException exception)
        {
            throw Malformed(
                $"is not valid JSON at byte {exception.BytePositionInLine ?? 0}; correct or remove the line", exception);
        }
        return text ?? throw Malformed($"has no field \"{options.TextField}\"; name the field that holds the text");
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

    private InvalidInputException Malformed(string what, Exception? inner = null)
    {
        var message = $"'{path}' line {_line} {what}.";
        return inner is null ? new InvalidInputException(message) : new InvalidInputException(message, inner);
    }
}
