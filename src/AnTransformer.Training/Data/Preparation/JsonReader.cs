namespace AnTransformer.Training.Data.Preparation;

/// <summary>
/// Reads the text field of JSON objects: one on each line, blank lines skipped; or, where that is allowed and the file
/// begins with <c>[</c>, those of one array.
/// </summary>
internal sealed class JsonReader(string path, DocumentSourceOptions options, bool mayBeArray) : DocumentReader
{
    private const int Capacity = 1 << 18;

    private readonly JsonDocumentParser _parser = new(path, options.TextField);
    private readonly ByteWindow _window = new(path, options.Encoding, Capacity);
    private bool? _isArray = mayBeArray ? null : false;
    private bool _arrayEnded;
    private long _number;

    public override string Location => $"{(_isArray == true ? "element" : "line")} {_number}";

    public override long Position => _window.FilePosition;

    /// <summary>Whether an error was about the JSON, rather than about the file that holds it.</summary>
    public bool FoundMalformed => _parser.FoundMalformed;

    public override bool TryRead(out ReadOnlyMemory<byte> text)
    {
        _isArray ??= TryPeek(out var first) && first == '[';
        return _isArray.Value ? TryReadElement(out text) : TryReadLine(out text);
    }

    public override void Dispose() => _window.Dispose();

    private bool TryReadLine(out ReadOnlyMemory<byte> text)
    {
        while (TryFindLine(out var length, out var consumed))
        {
            _number++;
            var line = _window.Bytes[..length];
            if (line.IndexOfAnyExcept(" \t\r"u8) < 0)
            {
                _window.Consume(consumed);
                continue;
            }

            text = _parser.Parse(line, Location);
            _window.Consume(consumed);
            return true;
        }

        text = default;
        return false;
    }

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
                CheckLength(length);
                return true;
            }

            searched = _window.Bytes.Length;
            CheckLength(searched);
            if (!_window.Fill())
            {
                length = consumed = searched;
                return searched > 0;
            }
        }
    }

    private bool TryReadElement(out ReadOnlyMemory<byte> text)
    {
        text = default;
        if (_arrayEnded)
            return false;
        var next = Next();
        if (_number > 0 && next is not ((byte)',' or (byte)']'))
            throw Unfinished();
        if (_number == 0 || next == ',')
            _window.Consume(1); // The bracket at the start, or a comma.
        if ((_number == 0 || next == ']') && Next() == ']')
            return EndArray();

        _ = Next();
        _number++;
        var length = FindElementEnd();
        text = _parser.Parse(_window.Bytes[..length], Location);
        _window.Consume(length);
        return true;
    }

    private bool EndArray()
    {
        _window.Consume(1);
        _arrayEnded = true;
        return TryPeek(out _)
            ? throw _parser.Malformed(Location, "is followed by more than the end of the array; correct the file")
            : false;
    }

    /// <summary>Length of the value at the window's start, which is read as far as that.</summary>
    private int FindElementEnd()
    {
        if (_window.Bytes[0] != '{')
            throw _parser.Malformed(Location, "is not a JSON object; each must be one, with the text in a field");
        var scan = new JsonObjectScan();
        while (true)
        {
            if (scan.TryFindEnd(_window.Bytes, out var length))
                return length;
            CheckLength(_window.Bytes.Length);
            if (!_window.Fill())
                throw Unfinished();
        }
    }

    private byte Next() => TryPeek(out var next) ? next : throw Unfinished();

    /// <summary>Skips white space and looks at the byte after it.</summary>
    private bool TryPeek(out byte next)
    {
        while (true)
        {
            var found = _window.Bytes.IndexOfAnyExcept(" \t\r\n"u8);
            _window.Consume(found < 0 ? _window.Bytes.Length : found);
            if (found >= 0)
            {
                next = _window.Bytes[0];
                return true;
            }

            if (!_window.Fill())
            {
                next = 0;
                return false;
            }
        }
    }

    private InvalidInputException Unfinished() =>
        _parser.Malformed(
            $"after {Location}", "is no valid JSON array, or ends too early; get the file again or leave it out");

    private void CheckLength(int length)
    {
        if (length > options.MaxDocumentBytes)
            throw options.TooLarge(path, $"after {Location}");
    }
}
