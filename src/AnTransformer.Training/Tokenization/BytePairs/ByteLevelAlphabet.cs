using System.Text;

namespace AnTransformer.Training.Tokenization.BytePairs;

/// <summary>
/// The printable stand-in of each byte in the files of byte-level BPE tokenizers: GPT-2's <c>bytes_to_unicode</c> and
/// the <c>ByteLevel</c> components of Hugging Face <c>tokenizers</c>. Printable Latin-1 bytes stand for themselves; the
/// other 68 are moved to U+0100 and up, in order.
/// </summary>
internal static class ByteLevelAlphabet
{
    private static readonly char[] Characters = BuildCharacters();
    private static readonly short[] Bytes = BuildBytes();

    /// <summary>All bytes ordered by their stand-ins: the order of the first 256 ids of GPT-2.</summary>
    public static byte[] BytesInOrder { get; } =
        [.. Enumerable.Range(0, 256).OrderBy(value => Characters[value]).Select(value => (byte)value)];

    /// <summary>The text that stands for some bytes, one character for each.</summary>
    public static string ToText(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length);
        foreach (var value in bytes)
            text.Append(Characters[value]);
        return text.ToString();
    }

    /// <summary>The bytes that a text stands for, or null when it has a character outside the alphabet.</summary>
    public static byte[]? ToBytes(string text)
    {
        var bytes = new byte[text.Length];
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] >= Bytes.Length || Bytes[text[i]] < 0)
                return null;
            bytes[i] = (byte)Bytes[text[i]];
        }

        return bytes;
    }

    private static char[] BuildCharacters()
    {
        var characters = new char[256];
        var next = 0x100;
        for (var value = 0; value < 256; value++)
            characters[value] = (char)(
                value is (>= 0x21 and <= 0x7E) or (>= 0xA1 and <= 0xAC) or >= 0xAE ? value : next++);
        return characters;
    }

    private static short[] BuildBytes()
    {
        var bytes = new short[0x100 + 68];
        Array.Fill(bytes, (short)-1);
        for (var value = 0; value < 256; value++)
            bytes[Characters[value]] = (short)value;
        return bytes;
    }
}
