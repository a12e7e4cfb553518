using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace AnTransformer.Training.Tokenization.Splitting;

/// <summary>
/// One step of pre-tokenization that a file declares by a regular expression (<c>Split</c> and <c>Digits</c> of Hugging
/// Face <c>tokenizers</c>): cuts a text at the matches, or drops them.
/// </summary>
/// <remarks>
/// .NET matches UTF-16 code units, the expressions are meant for code points, and texts may hold invalid bytes. So the
/// expression sees one character for each code point: those beyond U+FFFF are replaced by one of the same general
/// category (and of the same kind as to <c>\w</c>), and each invalid byte by U+FFFD.
/// </remarks>
internal sealed class WordSplitter
{
    private const char CircledLetter = '\u24B6';

    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(1);
    private static readonly char[] StandIns = BuildStandIns();

    private readonly Regex _regex;

    /// <summary>Creates the step.</summary>
    /// <param name="pattern">In the syntax of the Oniguruma library, as in the files.</param>
    /// <param name="behavior">What becomes of the matches.</param>
    /// <param name="invert">Whether what does not match counts as the matches and the other way round.</param>
    /// <exception cref="ArgumentException">The expression is not valid in .NET.</exception>
    /// <exception cref="NotSupportedException">The expression might mean something else in .NET.</exception>
    public WordSplitter(string pattern, SplitBehavior behavior = SplitBehavior.Isolated, bool invert = false)
    {
        Pattern = pattern;
        Behavior = behavior;
        Invert = invert;
        var translated = OnigurumaPattern.Translate(pattern);
        _regex = new Regex(translated, RegexOptions.Compiled | RegexOptions.CultureInvariant, Timeout);
    }

    /// <summary>The expression as declared.</summary>
    public string Pattern { get; }

    /// <summary>What becomes of the matches.</summary>
    public SplitBehavior Behavior { get; }

    /// <summary>Whether what does not match counts as the matches.</summary>
    public bool Invert { get; }

    /// <summary>Whether some character of a range also stands for characters beyond U+FFFF.</summary>
    public static bool StandsForOthers(char low, char high) =>
        StandIns.Any(character => character != '\0' && character >= low && character <= high);

    /// <summary>Appends the pieces of a text, none empty, in bytes from its start.</summary>
    /// <exception cref="InvalidInputException">The expression backtracks without end.</exception>
    public void Split(ReadOnlySpan<byte> text, List<Range> pieces)
    {
        var characters = new char[text.Length];
        var count = 0;
        for (var position = 0; position < text.Length; count++)
            characters[count] = NextCharacter(text, ref position);

        var cuts = Merge(FindMatches(characters.AsSpan(0, count)));
        var (at, end) = (0, 0);
        foreach (var cut in cuts)
        {
            var start = end;
            for (; at < cut.End; at++)
                NextCharacter(text, ref end);
            if (end > start && !(cut.IsMatch && Behavior == SplitBehavior.Removed))
                pieces.Add(start..end);
        }
    }

    // Matches and what lies between them, in order and without a gap. An empty match cuts, unless it follows another.
    private List<Cut> FindMatches(ReadOnlySpan<char> characters)
    {
        var cuts = new List<Cut>();
        var end = 0;
        try
        {
            foreach (var match in _regex.EnumerateMatches(characters))
            {
                if (match.Length == 0 && cuts.Count > 0 && match.Index == end)
                    continue;
                if (match.Index > end)
                    cuts.Add(new Cut(match.Index, Invert));
                end = match.Index + match.Length;
                cuts.Add(new Cut(end, !Invert));
            }
        }
        catch (RegexMatchTimeoutException exception)
        {
            throw new InvalidInputException(
                $"The tokenizer's regular expression {Pattern} takes more than a minute to find a word in the text; "
                    + "use a "
                + "tokenizer with another pattern.",
                exception);
        }

        if (characters.Length > end)
            cuts.Add(new Cut(characters.Length, Invert));
        return cuts;
    }

    private List<Cut> Merge(List<Cut> cuts)
    {
        var merged = new List<Cut>(cuts.Count);
        for (var i = 0; i < cuts.Count; i++)
        {
            var previousIsMatch = i > 0 && cuts[i - 1].IsMatch;
            var joins = i > 0 && Behavior switch
            {
                SplitBehavior.Contiguous => cuts[i].IsMatch == previousIsMatch,
                SplitBehavior.MergedWithPrevious => cuts[i].IsMatch && !previousIsMatch,
                SplitBehavior.MergedWithNext => previousIsMatch && !cuts[i].IsMatch,
                _ => false,
            };
            if (joins)
                merged[^1] = cuts[i];
            else
                merged.Add(cuts[i]);
        }

        return merged;
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
        if (rune.IsBmp)
            return (char)rune.Value;
        return CharacterClasses.IsCircledLetter(rune.Value)
            ? CircledLetter
            : StandIns[(int)Rune.GetUnicodeCategory(rune)];
    }

    // The last character below U+10000 of each category that goes beyond: far from anything that a pattern names.
    private static char[] BuildStandIns()
    {
        var beyond = new bool[30];
        for (var value = 0x10000; value <= 0x10FFFF; value++)
            beyond[(int)CharUnicodeInfo.GetUnicodeCategory(value)] = true;
        var standIns = new char[30];
        for (var value = 0x80; value <= 0xFFFF; value++)
        {
            var category = (int)CharUnicodeInfo.GetUnicodeCategory((char)value);
            if (beyond[category] && value is not 0xFFFD)
                standIns[category] = (char)value;
        }

        return standIns;
    }

    /// <summary>The end of a match, or of what lies between two, in characters.</summary>
    private readonly record struct Cut(int End, bool IsMatch);
}
