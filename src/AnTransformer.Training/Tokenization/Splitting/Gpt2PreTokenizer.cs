namespace AnTransformer.Training.Tokenization.Splitting;

/// <summary>
/// GPT-2's pre-tokenization: splits text into the words within which byte pairs are merged. A scanner over UTF-8 that
/// cuts exactly where the regular expression <see cref="Pattern"/> does; each byte that is not part of valid UTF-8
/// counts as a punctuation mark.
/// </summary>
public static class Gpt2PreTokenizer
{
    /// <summary>
    /// The regular expression, as in GPT-2's <c>encoder.py</c>; its matches cover every text without a gap.
    /// </summary>
    public const string Pattern = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    /// <summary>The number of bytes of the first word of a text.</summary>
    /// <param name="text">The text from the end of the previous word on; not empty.</param>
    public static int NextLength(ReadOnlySpan<byte> text)
    {
        var classes = CharacterClasses.OfByte;
        var first = text[0];
        if (first == '\'' && ContractionLength(text) is var contraction and > 0)
            return contraction;

        var start = first == ' ' ? 1 : 0;
        if (start < text.Length)
        {
            var width = 1;
            var kind = classes[text[start]];
            if (kind == CharacterClasses.NotAscii)
                kind = (byte)CharacterClasses.OfFirst(text[start..], out width);
            if (kind != (byte)CharacterClass.Space)
                return RunEnd(text, start + width, kind);
        }

        return SpacesLength(text);
    }

    private static int ContractionLength(ReadOnlySpan<byte> text)
    {
        if (text.Length < 2)
            return 0;
        switch (text[1])
        {
            case (byte)'s' or (byte)'t' or (byte)'m' or (byte)'d':
                return 2;
            case (byte)'r' or (byte)'v' when text.Length > 2 && text[2] == 'e':
            case (byte)'l' when text.Length > 2 && text[2] == 'l':
                return 3;
            default:
                return 0;
        }
    }

    private static int RunEnd(ReadOnlySpan<byte> text, int position, byte kind)
    {
        var classes = CharacterClasses.OfByte;
        while (position < text.Length)
        {
            var next = classes[text[position]];
            if (next == kind)
            {
                position++;
                continue;
            }

            if (next != CharacterClasses.NotAscii
                || (byte)CharacterClasses.OfFirst(text[position..], out var width) != kind)
                break;
            position += width;
        }

        return position;
    }

    // \s+(?!\S)|\s+ : a run leaves its last character to the word after it, unless it is that one character or ends the
    // text.
    private static int SpacesLength(ReadOnlySpan<byte> text)
    {
        var position = 0;
        var last = 0;
        while (position < text.Length)
        {
            var width = 1;
            var kind = CharacterClasses.OfByte[text[position]];
            if (kind == CharacterClasses.NotAscii)
                kind = (byte)CharacterClasses.OfFirst(text[position..], out width);
            if (kind != (byte)CharacterClass.Space)
                return last > 0 ? last : position;
            last = position;
            position += width;
        }

        return position;
    }
}
