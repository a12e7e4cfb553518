using System.Text;
using CsCheck;

namespace AnTransformer.Training.Tests.Tokenization;

/// <summary>Random texts rich in what tokenizers stumble over.</summary>
internal static class Texts
{
    private static readonly string[] Fragments =
    [
        "'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'r", "'", "don't", " ", "  ", "\n", "\r\n", "\t", " \n ", "1234",
        "½", "the", " the", "aaaa", "—", "“", "\u00A0", "\u3000", "\u0085", "\u200B", "e\u0301", "가", "١٢", "Ⅷ", "\0",
        "<|endoftext|>",
    ];

    // Every code point that is a character, the common ones more often.
    private static readonly Gen<string> RuneText = Gen.Frequency(
            (6, Gen.Int[0x20, 0x7E]),
            (1, Gen.Int[0, 0x2FF]),
            (2, Gen.Int[0x300, 0xD7FF]),
            (1, Gen.Int[0xE000, 0xFFFF]),
            (1, Gen.Int[0x10000, 0x10FFFF]))
        .Select(value => new Rune(value).ToString());

    public static Gen<string> Unicode { get; } =
        Gen.OneOf(RuneText, Gen.OneOf(Fragments)).Array[0, 60].Select(parts => string.Concat(parts));

    public static Gen<byte[]> Bytes { get; } = Gen.OneOf(
        Gen.Byte.Array[0, 100],
        Gen.Select(Unicode, Gen.Byte.Array[0, 5], Unicode, (a, b, c) =>
            (byte[])[.. Encoding.UTF8.GetBytes(a), .. b, .. Encoding.UTF8.GetBytes(c)]));

    /// <summary>The repository's corpus.</summary>
    public static byte[] Austen { get; } = File.ReadAllBytes(FindAusten());

    private static string FindAusten()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            var path = Path.Combine(directory.FullName, "data", "austen.txt");
            if (File.Exists(path))
                return path;
        }

        throw new FileNotFoundException("data/austen.txt is in no directory above the tests");
    }
}
