using System.Text;

namespace AnTransformer.Training.Tokenization.Splitting;

/// <summary>Rewrites a character class of Oniguruma, such as <c>[^\s\p{L}a-z]</c>, in .NET's syntax.</summary>
internal static class OnigurumaClass
{
    /// <summary>Reads the class at an opening bracket.</summary>
    /// <param name="pattern">The whole pattern.</param>
    /// <param name="position">Of the bracket; receives the position after the closing one.</param>
    /// <param name="ignoreCase">Whether case counts for nothing there.</param>
    /// <exception cref="NotSupportedException">Something in it has no certain counterpart.</exception>
    public static string Read(string pattern, ref int position, bool ignoreCase)
    {
        var result = new StringBuilder("[");
        position++;
        if (position < pattern.Length && pattern[position] == '^')
        {
            result.Append('^');
            position++;
        }

        var first = position;
        while (true)
        {
            if (position >= pattern.Length)
                throw new NotSupportedException("a character class is not closed");
            if (pattern[position] == ']' && position > first)
                break;
            if (pattern[position] == '-' && position > first && !NextIs(pattern, position, ']'))
                throw new NotSupportedException(
                    "'-' that is neither first nor last in a character class nor in a range is not supported");
            result.Append(ReadItem(pattern, ref position, ignoreCase));
        }

        position++;
        return result.Append(']').ToString();
    }

    private static string ReadItem(string pattern, ref int position, bool ignoreCase)
    {
        var low = ReadCharacter(pattern, ref position, ignoreCase, out var content);
        if (content is not null)
            return content;
        if (position >= pattern.Length || pattern[position] != '-' || NextIs(pattern, position, ']'))
            return Range(low, low, ignoreCase);
        position++;
        if (position >= pattern.Length)
            throw new NotSupportedException("a character class is not closed");
        var high = ReadCharacter(pattern, ref position, ignoreCase, out content);
        if (content is not null || high < low)
            throw new NotSupportedException(
                "a range in a character class has no last character, or one before its first");
        return Range(low, high, ignoreCase);
    }

    // A character, or the content of a class such as \s.
    private static char ReadCharacter(string pattern, ref int position, bool ignoreCase, out string? content)
    {
        content = null;
        var character = pattern[position];
        if (character == '[')
            throw new NotSupportedException("character classes within character classes are not supported");
        if (character == '&' && NextIs(pattern, position, '&'))
            throw new NotSupportedException("intersections of character classes (&&) are not supported");
        if (character != '\\')
        {
            position++;
            return character;
        }

        var escape = OnigurumaEscape.Read(pattern, ref position, ignoreCase);
        if (escape.Character is { } escaped)
            return escaped;
        content = escape.Content ?? throw new NotSupportedException("\\W in a character class is not supported");
        return '\0';
    }

    private static string Range(char low, char high, bool ignoreCase)
    {
        OnigurumaEscape.RequireOwnMeaning(low, high);
        if (!ignoreCase)
            return low == high
                ? OnigurumaEscape.Write(low)
                : $"{OnigurumaEscape.Write(low)}-{OnigurumaEscape.Write(high)}";
        if (high - low > 128)
            throw new NotSupportedException("large ranges without regard to case are not supported");
        var variants = Enumerable.Range(low, high - low + 1).SelectMany(c => OnigurumaEscape.CaseVariants((char)c))
            .Distinct();
        return string.Concat(variants.Select(OnigurumaEscape.Write));
    }

    private static bool NextIs(string pattern, int position, char character) =>
        position + 1 < pattern.Length && pattern[position + 1] == character;
}
