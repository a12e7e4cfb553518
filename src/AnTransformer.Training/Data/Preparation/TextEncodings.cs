using System.Text;
using AnTransformer.Configuration;

namespace AnTransformer.Training.Data.Preparation;

/// <summary>Names of encodings, and streams that turn them into UTF-8.</summary>
public static class TextEncodings
{
    /// <summary>The names that options and configurations have, in the order of <see cref="TextEncoding"/>.</summary>
    public static IReadOnlyList<string> Names { get; } = EnumSpelling.Words(typeof(TextEncoding));

    private const int BlockSize = 1 << 16;

    // Text has hardly any NUL; UTF-16 of European languages has one in two bytes, of Chinese one at each space and line
    // end.
    private const int RarestNuls = 200;

    /// <summary>The encoding of a name.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="InvalidInputException">There is no encoding of that name.</exception>
    public static TextEncoding Parse(string name)
        => EnumSpelling.Find(typeof(TextEncoding), name) is TextEncoding encoding
            ? encoding
            : throw new InvalidInputException(
                $"The encoding '{Printable.Excerpt(name)}' is not known; choose one of {string.Join(", ", Names)}.");

    /// <summary>A stream of UTF-8 without a byte-order mark.</summary>
    /// <param name="stream">Bytes of text; owned by the result.</param>
    /// <param name="path">Named in errors.</param>
    /// <param name="encoding">What they are.</param>
    /// <exception cref="InvalidInputException">
    /// The bytes cannot be UTF-8 text and nothing says what they are.
    /// </exception>
    internal static Stream ToUtf8(Stream stream, string path, TextEncoding encoding)
    {
        var block = new byte[BlockSize];
        var length = stream.ReadAtLeast(block, block.Length, throwOnEndOfStream: false);
        var bytes = block.AsMemory(0, length);
        var (decoder, markSize) = encoding == TextEncoding.Utf8
            ? (null, bytes.Span.StartsWith(Encoding.UTF8.Preamble) ? Encoding.UTF8.Preamble.Length : 0)
            : Marked(bytes.Span) ?? (DecoderOf(encoding), 0);
        if (decoder is null && encoding != TextEncoding.Utf8)
            RequireText(bytes.Span, path);
        var whole = new PrefixedStream(bytes[markSize..], stream);
        return decoder is null ? whole : Encoding.CreateTranscodingStream(whole, decoder, Encoding.UTF8);
    }

    private static (Encoding? Decoder, int MarkSize)? Marked(ReadOnlySpan<byte> bytes) => bytes switch
    {
        [0xEF, 0xBB, 0xBF, ..] => (null, 3),
        [0xFF, 0xFE, 0, 0, ..] => (new UTF32Encoding(bigEndian: false, byteOrderMark: false), 4),
        [0, 0, 0xFE, 0xFF, ..] => (new UTF32Encoding(bigEndian: true, byteOrderMark: false), 4),
        [0xFF, 0xFE, ..] => (new UnicodeEncoding(bigEndian: false, byteOrderMark: false), 2),
        [0xFE, 0xFF, ..] => (new UnicodeEncoding(bigEndian: true, byteOrderMark: false), 2),
        _ => null,
    };

    private static Encoding? DecoderOf(TextEncoding encoding) => encoding switch
    {
        TextEncoding.Utf16LittleEndian => new UnicodeEncoding(bigEndian: false, byteOrderMark: false),
        TextEncoding.Utf16BigEndian => new UnicodeEncoding(bigEndian: true, byteOrderMark: false),
        TextEncoding.Latin1 => Encoding.Latin1,
        TextEncoding.Windows1252 => CodePagesEncodingProvider.Instance.GetEncoding(1252),
        _ => null,
    };

    private static void RequireText(ReadOnlySpan<byte> bytes, string path)
    {
        var nuls = bytes.Count((byte)0);
        if (nuls * (long)RarestNuls <= bytes.Length)
            return;
        var odd = 0;
        for (var i = 1; i < bytes.Length; i += 2)
            odd += bytes[i] == 0 ? 1 : 0;
        var guess = odd > 0.9 * nuls ? "utf-16le" : odd < 0.1 * nuls ? "utf-16be" : null;
        throw new InvalidInputException(
            $"'{path}' is no UTF-8 text: {nuls} of its first {bytes.Length} bytes are NUL"
            + (guess is null
                ? "; leave it out, or keep its bytes as they are (--encoding utf-8, or data.encoding in a "
                    + "configuration)."
                : $", as in UTF-16 without a byte-order mark; name its encoding (--encoding {guess}, or data.encoding "
                    + "in a configuration)."));
    }
}
