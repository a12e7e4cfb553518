using System.Globalization;
using System.Text;

namespace AnTransformer.Training.Tokenization.Splitting;

/// <summary>The four kinds of characters that GPT-2's pre-tokenization tells apart.</summary>
internal enum CharacterClass : byte
{
    /// <summary>
    /// Everything else: punctuation, symbols, marks, controls, unassigned code points and invalid bytes.
    /// </summary>
    Other,

    /// <summary>General category L: <c>\p{L}</c>.</summary>
    Letter,

    /// <summary>General category N: <c>\p{N}</c>.</summary>
    Number,

    /// <summary>The property White_Space: <c>\s</c>.</summary>
    Space,
}

/// <summary>Classifies characters of UTF-8 text by a precomputed table.</summary>
internal static class CharacterClasses
{
    /// <summary>In <see cref="OfByte"/>: the byte is no character by itself.</summary>
    public const byte NotAscii = 4;

    // Planes 4 to 16 hold no letters, numbers or spaces.
    private const int TableSize = 0x40000;

    private static readonly byte[] Table = BuildTable();

    /// <summary>The class of each byte as a character, or <see cref="NotAscii"/>.</summary>
    public static readonly byte[] OfByte = [.. Table.AsSpan(0, 128), .. Enumerable.Repeat(NotAscii, 128)];

    /// <summary>
    /// Classifies the first character of a text; a byte that is not part of valid UTF-8 is an "other" one.
    /// </summary>
    /// <param name="text">Not empty.</param>
    /// <param name="length">Receives the number of bytes of the character.</param>
    public static CharacterClass OfFirst(ReadOnlySpan<byte> text, out int length)
    {
        if (Rune.DecodeFromUtf8(text, out var rune, out length) != System.Buffers.OperationStatus.Done)
        {
            length = 1;
            return CharacterClass.Other;
        }

        return rune.Value < TableSize ? (CharacterClass)Table[rune.Value] : CharacterClass.Other;
    }

    /// <summary>
    /// The number of bytes of whitespace that a text ends with: the property White_Space, <c>\s</c> in Rust.
    /// </summary>
    public static int SpacesAtEnd(ReadOnlySpan<byte> text)
    {
        var end = text.Length;
        while (end > 0
            && Rune.DecodeLastFromUtf8(text[..end], out var rune, out var length) == System.Buffers.OperationStatus.Done
            && rune.Value < TableSize && (CharacterClass)Table[rune.Value] == CharacterClass.Space)
        {
            end -= length;
        }

        return text.Length - end;
    }

    /// <summary>The number of bytes of whitespace that a text begins with.</summary>
    public static int SpacesAtStart(ReadOnlySpan<byte> text)
    {
        var start = 0;
        while (start < text.Length && OfFirst(text[start..], out var length) == CharacterClass.Space)
            start += length;
        return start;
    }

    /// <summary>
    /// Whether a character belongs to words: <c>\w</c> of Rust's <c>regex</c> (Unicode Technical Standard #18, Annex
    /// C).
    /// </summary>
    public static bool IsWord(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        <= UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation => true,
        _ => rune.Value is 0x200C or 0x200D or (>= 0x24B6 and <= 0x24E9) || IsCircledLetter(rune.Value),
    };

    /// <summary>Symbols beyond U+FFFF that are alphabetic all the same: letters in circles and squares.</summary>
    public static bool IsCircledLetter(int value) =>
        value is (>= 0x1F130 and <= 0x1F149) or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189);

    private static byte[] BuildTable()
    {
        var table = new byte[TableSize];
        for (var value = 0; value < TableSize; value++)
        {
            table[value] = (byte)(CharUnicodeInfo.GetUnicodeCategory(value) switch
            {
                <= UnicodeCategory.OtherLetter => CharacterClass.Letter,
                UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber
                    => CharacterClass.Number,
                UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
                    => CharacterClass.Space,
                _ => value is (>= '\t' and <= '\r') or 0x85 ? CharacterClass.Space : CharacterClass.Other,
            });
        }

        return table;
    }
}
