using System.Text.Json;

namespace AnTransformer.Checkpoints;

/// <summary>
/// The JSON header of a safetensors file, parsed and checked against the length of the data that follows it.
/// </summary>
/// <remarks>
/// Source: the safetensors format specification (Hugging Face): 8 bytes header length N, little-endian; N bytes of
/// UTF-8 JSON beginning with <c>{</c>, at most 100 MB, no duplicate keys; then the data, which the offsets cover
/// without holes.
/// </remarks>
internal sealed class SafetensorsHeader
{
    /// <summary>The format's limit on the header's length in bytes.</summary>
    public const int MaxLength = 100_000_000;

    /// <summary>The key that is no tensor.</summary>
    public const string MetadataKey = "__metadata__";
    private readonly string _path;
    private readonly Dictionary<string, SafetensorsEntry> _entries = [];
    private readonly Dictionary<string, string> _metadata = [];
    private readonly List<string> _names = [];

    private SafetensorsHeader(string path) => _path = path;

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> Entries => _entries;

    /// <summary>The names in the header's order.</summary>
    public IReadOnlyList<string> Names => _names;

    /// <summary>The header's <c>__metadata__</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <summary>Parses a header.</summary>
    /// <param name="path">Named in messages.</param>
    /// <param name="json">The header's bytes.</param>
    /// <param name="dataLength">The number of bytes after the header.</param>
    /// <exception cref="InvalidInputException">The header is malformed, or does not fit the data.</exception>
    public static SafetensorsHeader Parse(string path, ReadOnlySpan<byte> json, long dataLength)
    {
        var header = new SafetensorsHeader(path);
        if (json.Length == 0 || json[0] != (byte)'{')
            throw header.Malformed("the header does not begin with '{'");
        try
        {
            header.Read(json);
        }
        catch (JsonException e)
        {
            throw header.Malformed($"the header is not JSON at byte {e.BytePositionInLine}: {Sentence(e.Message)}", e);
        }
        catch (InvalidOperationException e)
        {
            // Utf8JsonReader's word for a string of invalid UTF-8 or an unpaired surrogate.
            throw header.Malformed("the header is not valid UTF-8", e);
        }

        header.CheckOffsets(dataLength);
        return header;
    }

    private void Read(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            if (name == MetadataKey)
                ReadMetadata(ref reader);
            else if (!_entries.TryAdd(name, ReadEntry(ref reader, name)))
                throw Malformed($"tensor '{Printable.Excerpt(name)}' is there twice");
            else
                _names.Add(name);
        }

        // Runs over the padding, and refuses anything but white space there.
        reader.Read();
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            throw Malformed($"{MetadataKey} is not an object");
        if (_metadata.Count > 0)
            throw Malformed($"{MetadataKey} is there twice");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
                throw Malformed($"the value of '{key}' in {MetadataKey} is not a string");
            if (!_metadata.TryAdd(key, reader.GetString()!))
                throw Malformed($"'{key}' is twice in {MetadataKey}");
        }
    }

    private SafetensorsEntry ReadEntry(ref Utf8JsonReader reader, string name)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            throw Malformed($"tensor '{Printable.Excerpt(name)}' is not described by an object");
        SafetensorsDtype? dtype = null;
        List<long>? shape = null, offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            var isNew = key switch
            {
                "dtype" => dtype is null,
                "shape" => shape is null,
                "data_offsets" => offsets is null,
                _ => true,
            };
            if (!isNew)
                throw Malformed($"tensor '{Printable.Excerpt(name)}' has two values of {key}");
            switch (key)
            {
                case "dtype": dtype = ReadDtype(ref reader, name); break;
                case "shape": shape = ReadNumbers(ref reader, name, key); break;
                case "data_offsets": offsets = ReadNumbers(ref reader, name, key); break;
                default: reader.Skip(); break;
            }
        }

        if (dtype is null || shape is null || offsets is null)
            throw Malformed($"tensor '{Printable.Excerpt(name)}' lacks dtype, shape or data_offsets");
        if (offsets is not [var begin, var end] || end < begin)
            throw Malformed(
                $"tensor '{Printable.Excerpt(name)}' has the data_offsets [{string.Join(", ", offsets)}], not [begin, "
                    + "end]");
        var expected = SafetensorsEntry.ByteCountOf(dtype.Value, shape);
        if (expected < 0)
            throw Malformed($"the shape [{string.Join(", ", shape)}] of tensor '{Printable.Excerpt(name)}' overflows");
        if (end - begin != expected)
        {
            throw Malformed(
                $"tensor '{Printable.Excerpt(name)}' has {end - begin} bytes where {dtype} "
                    + $"[{string.Join(", ", shape)}] takes {expected}");
        }

        return new SafetensorsEntry(name, dtype.Value, shape.AsReadOnly(), begin, expected);
    }

    private SafetensorsDtype ReadDtype(ref Utf8JsonReader reader, string name)
    {
        var text = reader.TokenType == JsonTokenType.String ? reader.GetString()! : "";
        // By exact name: Enum.TryParse alone would take numbers and lists, too.
        return Enum.IsDefined(typeof(SafetensorsDtype), text)
            ? Enum.Parse<SafetensorsDtype>(text)
            : throw new InvalidInputException(
                $"'{_path}' cannot be read: tensor '{Printable.Excerpt(name)}' has the dtype "
                    + $"'{Printable.Excerpt(text)}'; convert it to one of "
                + $"{string.Join(", ", Enum.GetNames<SafetensorsDtype>())}.");
    }

    private List<long> ReadNumbers(ref Utf8JsonReader reader, string name, string key)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            throw Malformed($"{key} of tensor '{Printable.Excerpt(name)}' is not a list");
        var numbers = new List<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var number) || number < 0)
                throw Malformed(
                    $"{key} of tensor '{Printable.Excerpt(name)}' holds something else than integers from 0 to 2^63 - "
                        + "1");
            numbers.Add(number);
        }

        return numbers;
    }

    private void CheckOffsets(long dataLength)
    {
        var position = 0L;
        SafetensorsEntry? previous = null;
        foreach (var entry in _entries.Values.OrderBy(entry => entry.Offset).ThenBy(entry => entry.ByteCount))
        {
            if (entry.Offset + entry.ByteCount > dataLength)
            {
                throw Malformed(
                    $"tensor '{Printable.Excerpt(entry.Name)}' ends at byte {entry.Offset + entry.ByteCount} of "
                        + $"{dataLength}: the file is "
                    + "truncated, or its data_offsets are out of range");
            }

            if (entry.Offset < position)
                throw Malformed(
                    $"tensors '{Printable.Excerpt(previous!.Name)}' and '{Printable.Excerpt(entry.Name)}' overlap at "
                        + $"byte {entry.Offset}");
            if (entry.Offset > position)
                throw Malformed(
                    $"bytes {position} to {entry.Offset}, before tensor '{Printable.Excerpt(entry.Name)}', belong to "
                        + "no tensor");
            position = entry.Offset + entry.ByteCount;
            previous = entry;
        }

        if (position != dataLength)
            throw Malformed($"{dataLength - position} bytes follow the last tensor");
    }

    private InvalidInputException Malformed(string what, Exception? inner = null)
    {
        var message = $"'{_path}' is not a valid safetensors file: {Printable.Excerpt(what, longest: 400)}; write it "
            + "again or fetch a fresh copy.";
        return inner is null ? new InvalidInputException(message) : new InvalidInputException(message, inner);
    }

    // JsonException appends "LineNumber: 0 | BytePositionInLine: 5.", which is said already.
    private static string Sentence(string message) => message.Split(" LineNumber:")[0].TrimEnd('.');
}
