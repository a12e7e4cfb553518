using System.Globalization;
using System.Text;

namespace AnTransformer.Training.Data.Preparation;

/// <summary>
/// Unescapes JSON strings that strict decoders refuse: keeps bytes that are not UTF-8 and turns lone surrogates into
/// U+FFFD.
/// </summary>
internal static class LenientJsonString
{
    /// <param name="escaped">What is between the quotes; its escapes are known to be well-formed.</param>
    /// <param name="destination">At least as long as <paramref name="escaped"/>.</param>
    /// <returns>Number of bytes written.</returns>
    public static int Unescape(ReadOnlySpan<byte> escaped, Span<byte> destination)
    {
        var written = 0;
        while (!escaped.IsEmpty)
        {
            var plain = escaped.IndexOf((byte)'\\');
            if (plain < 0)
                plain = escaped.Length;
            escaped[..plain].CopyTo(destination[written..]);
            written += plain;
            escaped = escaped[plain..];
            if (escaped.IsEmpty)
                break;
            if (escaped[1] == 'u')
            {
                var rune = ReadRune(ref escaped);
                written += rune.EncodeToUtf8(destination[written..]);
                continue;
            }
            destination[written++] = escaped[1] switch
            {
                (byte)'b' => (byte)'\b',
                (byte)'f' => (byte)'\f',
                (byte)'n' => (byte)'\n',
                (byte)'r' => (byte)'\r',
                (byte)'t' => (byte)'\t',
                var other => other,
            };
            escaped = escaped[2..];
        }
        return written;
    }

    private static Rune ReadRune(ref ReadOnlySpan<byte> escaped)
    {
        var first = ReadUnit(escaped);
        escaped = escaped[6..];
        if (!char.IsSurrogate(first))
            return new Rune(first);
        if (escaped.StartsWith("\\u"u8) && Rune.TryCreate(first, ReadUnit(escaped), out var pair))
        {
            escaped = escaped[6..];
            return pair;
        }
        return Rune.ReplacementChar;
    }

    private static char ReadUnit(ReadOnlySpan<byte> escape) =>
        (char)ushort.Parse(escape.Slice(2, 4), NumberStyles.AllowHexSpecifier);
}
