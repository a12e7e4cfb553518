using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace AnTransformer.Training.Tokenization;

/// <summary>
/// One step of pre-tokenization that a file declares by a regular expression (<c>Split</c> and <c>Digits</c> of Hugging Face
/// <c>tokenizers</c>): the matches and what lies between them become pieces.
/// </summary>
/// <remarks>
/// .NET matches UTF-16 code units, the expressions are meant for code points, and texts may hold invalid bytes. So the
/// expression sees one character for each code point: those beyond U+FFFF are replaced by one of the same general category,
/// and each invalid byte by U+FFFD.
/// </remarks>
internal sealed class WordSplitter
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(1);
    private static readonly char[] StandIns = BuildStandIns();

    private readonly Regex _regex;

    /// <summary>Creates the step.</summary>
    /// <param name="pattern">In the syntax of the Oniguruma library, as in the files.</param>
    /// <exception cref="ArgumentException">The expression is not valid in .NET.</exception>
    /// <exception cref="NotSupportedException">The expression would mean something else in .NET.</exception>
    public WordSplitter(string pattern)
    {
        Pattern = pattern;
        var translated = OnigurumaPattern.Translate(pattern);
        _regex = new Regex(translated, RegexOptions.Compiled | RegexOptions.CultureInvariant, Timeout);
    }

    /// <summary>The expression as declared.</summary>
    public string Pattern { get; }

    /// <summary>Appends the end of each piece, in bytes from the start of the text.</summary>
    /// <exception cref="InvalidInputException">The expression backtracks without end.</exception>
    public void Split(ReadOnlySpan<byte> text, List<int> ends)
    {
        var characters = new char[text.Length];
        var count = 0;
        for (var position = 0; position < text.Length; count++)
            characters[count] = NextCharacter(text, ref position);

        var end = 0;
        var at = 0;
        try
        {
            foreach (var match in _regex.EnumerateMatches(characters.AsSpan(0, count)))
            {
                AddPiece(text, match.Index, ref at, ref end, ends);
                AddPiece(text, match.Index + match.Length, ref at, ref end, ends);
            }
        }
        catch (RegexMatchTimeoutException exception)
        {
            throw new InvalidInputException(
                $"The tokenizer's regular expression {Pattern} takes more than a minute to find a word in the text; use a "
                + "tokenizer with another pattern.",
                exception);
        }

        AddPiece(text, count, ref at, ref end, ends);
    }

    private static void AddPiece(ReadOnlySpan<byte> text, int character, ref int at, ref int end, List<int> ends)
    {
        if (character == at)
            return;
        for (; at < character; at++)
            NextCharacter(text, ref end);
        ends.Add(end);
    }

    private static char NextCharacter(ReadOnlySpan<byte> text, ref int position)
    {
        var first = text[position];
        if (first < 0x80)
        {
            position++;
            return (char)first;
        }

        if (Rune.DecodeFromUtf8(text[position..], out var rune, out var length) != System.Buffers.OperationStatus.Done)
        {
            position++;
            return '\uFFFD';
        }

        position += length;
        return rune.IsBmp ? (char)rune.Value : StandIns[(int)Rune.GetUnicodeCategory(rune)];
    }

    // The last character of each category: far from anything that a pattern names.
    private static char[] BuildStandIns()
    {
        var standIns = new char[30];
        for (var value = 0x80; value <= 0xFFFF; value++)
        {
            if (value is not 0xFFFD)
                standIns[(int)CharUnicodeInfo.GetUnicodeCategory((char)value)] = (char)value;
        }

        return standIns;
    }
}
