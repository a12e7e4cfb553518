namespace AnTransformer.Training.Data.Preparation;

/// <summary>Cuts plain text at a literal separator; an empty separator makes the whole file one document.</summary>
internal sealed class SeparatedTextReader(string path, DocumentSourceOptions options, byte[] separator) : DocumentReader
{
    private readonly ByteWindow _window = new(path, options.Encoding, 1 << 18);

    public override string Location => $"byte {_window.Offset}";

    public override long Position => _window.FilePosition;

    public override bool TryRead(out ReadOnlyMemory<byte> text)
    {
        var searched = 0;
        while (true)
        {
            var found = separator.Length == 0 ? -1 : _window.Bytes[searched..].IndexOf(separator);
            if (found >= 0)
            {
                text = Take(searched + found);
                _window.Consume(separator.Length);
                return true;
            }
            searched = Math.Max(0, _window.Bytes.Length - Math.Max(0, separator.Length - 1));
            CheckLength(searched);
            if (_window.Fill())
                continue;
            var rest = _window.Bytes.Length;
            text = Take(rest);
            return rest > 0;
        }
    }

    public override void Dispose() => _window.Dispose();

    private byte[] Take(int length)
    {
        CheckLength(length);
        var text = _window.Bytes[..length].ToArray();
        _window.Consume(length);
        return text;
    }

    private void CheckLength(int length)
    {
        if (length > options.MaxDocumentBytes)
            throw options.TooLarge(path, $"at {Location}");
    }
}
