using System.Buffers;

namespace AnTransformer.Training.Data.Preparation;

/// <summary>Finds where a JSON object ends by its brackets, going on where it was when more bytes have come.</summary>
internal struct JsonObjectScan
{
    private static readonly SearchValues<byte> Structure = SearchValues.Create("\"{}[]"u8);
    private static readonly SearchValues<byte> InString = SearchValues.Create("\"\\"u8);

    private int _at;
    private int _depth;
    private bool _inString;

    /// <param name="bytes">
    /// The object and what follows it, as far as it has been read; each time from the same start.
    /// </param>
    /// <param name="length">The object's length.</param>
    /// <returns>False when it goes on.</returns>
    public bool TryFindEnd(ReadOnlySpan<byte> bytes, out int length)
    {
        while (_at < bytes.Length)
        {
            var found = bytes[_at..].IndexOfAny(_inString ? InString : Structure);
            if (found < 0)
            {
                _at = bytes.Length;
                break;
            }

            _at += found;
            var value = bytes[_at];
            if (value == '\\')
            {
                if (_at + 1 >= bytes.Length)
                    break;
                _at += 2;
                continue;
            }

            _at++;
            if (value == '"')
                _inString = !_inString;
            else
                _depth += value is (byte)'{' or (byte)'[' ? 1 : -1;
            if (_depth > 0 || _inString)
                continue;
            length = _at;
            return true;
        }

        length = 0;
        return false;
    }
}
