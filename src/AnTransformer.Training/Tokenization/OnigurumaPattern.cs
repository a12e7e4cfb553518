using System.Text;

namespace AnTransformer.Training.Tokenization;

/// <summary>
/// Rewrites what tokenizer files use of the Oniguruma syntax of regular expressions and .NET lacks: the possessive
/// quantifiers <c>?+ *+ ++</c> become atomic groups. What cannot be rewritten is refused.
/// </summary>
internal static class OnigurumaPattern
{
    /// <summary>The pattern in .NET's syntax.</summary>
    /// <exception cref="NotSupportedException">The pattern uses something that .NET has no counterpart for.</exception>
    public static string Translate(string pattern)
    {
        if (pattern.Contains("&&", StringComparison.Ordinal))
            throw new NotSupportedException("intersections of character classes (&&) are not supported");

        var result = new StringBuilder();
        var groups = new Stack<int>();
        var atom = 0; // Where in the result the item starts that a quantifier at this place would apply to.
        for (var i = 0; i < pattern.Length;)
        {
            var character = pattern[i];
            if (character is '?' or '*' or '+')
            {
                result.Append(character);
                i++;
                if (i < pattern.Length && pattern[i] == '+')
                {
                    result.Insert(atom, "(?>").Append(')');
                    i++;
                }
                else if (i < pattern.Length && pattern[i] == '?')
                {
                    result.Append('?');
                    i++;
                }

                continue;
            }

            if (character == ')')
            {
                result.Append(character);
                atom = groups.Count > 0 ? groups.Pop() : 0;
                i++;
                continue;
            }

            if (character == '{')
            {
                var close = pattern.IndexOf('}', i);
                var quantifier = close < 0 ? pattern[i..] : pattern[i..(close + 1)];
                result.Append(quantifier);
                i += quantifier.Length;
                continue;
            }

            atom = result.Length;
            var length = ItemLength(pattern, i);
            if (character == '(' && pattern[i + length - 1] != ')')
                groups.Push(atom);
            result.Append(pattern, i, length);
            i += length;
        }

        return result.ToString();
    }

    // The length of a character, escape or character class, or of the opening of a group with its "?:", "?=", "?i:"...
    private static int ItemLength(string pattern, int start)
    {
        switch (pattern[start])
        {
            case '\\':
                var brace = start + 2 < pattern.Length && pattern[start + 1] is 'p' or 'P' or 'x' && pattern[start + 2] == '{';
                var end = brace ? pattern.IndexOf('}', start) : start + 1;
                return end < 0 ? pattern.Length - start : Math.Min(end + 1, pattern.Length) - start;

            case '[':
                var i = start + 1;
                if (i < pattern.Length && pattern[i] == '^')
                    i++;
                for (var first = i; i < pattern.Length && (pattern[i] != ']' || i == first); i++)
                {
                    if (pattern[i] == '[')
                        throw new NotSupportedException("character classes within character classes are not supported");
                    if (pattern[i] == '\\')
                        i++;
                }

                return Math.Min(i + 1, pattern.Length) - start;

            case '(' when start + 1 < pattern.Length && pattern[start + 1] == '?':
                var opening = start + 2;
                while (opening < pattern.Length && pattern[opening] is not (':' or '=' or '!' or '>' or ')'))
                    opening++;
                return Math.Min(opening + 1, pattern.Length) - start;

            default:
                return 1;
        }
    }
}
