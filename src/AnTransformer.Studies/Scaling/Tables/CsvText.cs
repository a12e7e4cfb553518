using System.Text;

namespace AnTransformer.Studies.Scaling.Tables;

/// <summary>Decodes a table's file: UTF-8, or what a byte order mark says, as spreadsheets write it.</summary>
internal static class CsvText
{
    private static readonly Encoding[] Marked =
    [
        new UTF32Encoding(bigEndian: false, byteOrderMark: true, throwOnInvalidCharacters: true),
        new UTF8Encoding(encoderShouldEmitUTF8Identifier: true, throwOnInvalidBytes: true),
        new UnicodeEncoding(bigEndian: false, byteOrderMark: true, throwOnInvalidBytes: true),
        new UnicodeEncoding(bigEndian: true, byteOrderMark: true, throwOnInvalidBytes: true),
    ];

    /// <summary>The text of a file.</summary>
    /// <param name="bytes">Its bytes.</param>
    /// <param name="name">What errors call it.</param>
    /// <exception cref="InvalidInputException">It is no text in these encodings.</exception>
    public static string Decode(byte[] bytes, string name)
    {
        var marked = Array.Find(Marked, encoding => bytes.AsSpan().StartsWith(encoding.Preamble));
        var encoding = marked ?? new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
        var start = marked?.Preamble.Length ?? 0;
        string text;
        try
        {
            text = encoding.GetString(bytes, start, bytes.Length - start);
        }
        catch (DecoderFallbackException e)
        {
            // Line breaks before it, which are bytes of their own in every encoding of text that is not marked.
            var line = marked is null
                ? $":{1 + bytes.AsSpan(0, Math.Clamp(e.Index, 0, bytes.Length)).Count((byte)'\n')}"
                : "";
            var expected = marked is null ? "UTF-8" : marked.WebName;
            throw new InvalidInputException(
                $"{name}{line}: this is not {expected}; save the table as CSV in UTF-8.", e);
        }

        var nul = text.IndexOf('\0', StringComparison.Ordinal);
        return nul < 0 ? text
            : throw new InvalidInputException(
                $"{name}:{1 + text.AsSpan(0, nul).Count('\n')}: there are NUL characters, as in UTF-16 without a byte "
                    + "order mark; "
                + "save the table as CSV in UTF-8.");
    }
}
