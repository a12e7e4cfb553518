namespace AnTransformer.Training.Data.Preparation;

/// <summary>
/// Cuts plain text into sections (see <see cref="DocumentSourceOptions.SectionBytes"/>), which together are the file.
/// </summary>
internal sealed class SectionReader(string path, DocumentSourceOptions options) : DocumentReader
{
    private readonly int _sectionBytes = options.SectionBytes;
    private readonly ByteWindow _window = new(
        path, options.Encoding, Math.Max(4 * Math.Min(options.SectionBytes, 1 << 28), 1 << 16));

    public override string Location => $"byte {_window.Offset}";

    public override long Position => _window.FilePosition;

    public override bool TryRead(out ReadOnlyMemory<byte> text)
    {
        // One byte more than a section tells whether the file goes on.
        while (_window.Bytes.Length <= _sectionBytes && _window.Fill())
        {
        }
        var bytes = _window.Bytes;
        var length = bytes.Length <= _sectionBytes ? bytes.Length : Cut(bytes, _sectionBytes);
        text = bytes[..length].ToArray();
        _window.Consume(length);
        return length > 0;
    }

    public override void Dispose() => _window.Dispose();

    /// <summary>
    /// Length of the section at the start of <paramref name="bytes"/>, which is longer than <paramref name="limit"/>.
    /// </summary>
    internal static int Cut(ReadOnlySpan<byte> bytes, int limit)
    {
        var smallest = limit / 2;
        var tail = bytes[smallest..limit];
        var blank = Math.Max(EndOfLast(tail, "\n\n"u8), EndOfLast(tail, "\n\r\n"u8));
        if (blank > 0)
            return smallest + blank;
        if (EndOfLast(tail, "\n"u8) is > 0 and var line)
            return smallest + line;
        if (EndOfLast(tail, " "u8) is > 0 and var space)
            return smallest + space;
        // Not within a character: its continuation bytes are 10xxxxxx, at most 3.
        for (var length = limit; length > limit - 4; length--)
        {
            if ((bytes[length] & 0xC0) != 0x80)
                return length;
        }
        return limit;
    }

    private static int EndOfLast(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> value)
    {
        var index = bytes.LastIndexOf(value);
        return index < 0 ? 0 : index + value.Length;
    }
}
