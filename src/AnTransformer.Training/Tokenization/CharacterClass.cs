using System.Globalization;
using System.Text;

namespace AnTransformer.Training.Tokenization;

/// <summary>The four kinds of characters that GPT-2's pre-tokenization tells apart.</summary>
internal enum CharacterClass : byte
{
    /// <summary>Everything else: punctuation, symbols, marks, controls, unassigned code points and invalid bytes.</summary>
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

    /// <summary>Classifies the first character of a text; a byte that is not part of valid UTF-8 is an "other" one.</summary>
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
