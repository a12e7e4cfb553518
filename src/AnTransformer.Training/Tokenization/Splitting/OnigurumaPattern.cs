using System.Globalization;
using System.Text;

namespace AnTransformer.Training.Tokenization.Splitting;

/// <summary>
/// Rewrites a regular expression of the Oniguruma library (its Ruby syntax, which tokenizer files are written in) as
/// one that means the same in .NET. The two differ in silence in places (<c>^</c> and <c>$</c>, <c>{,n}</c>,
/// <c>{1,3}+</c>, <c>\w</c>, <c>(?i:s)</c>, which matches ſ, too), so only what is known to mean the same is let
/// through, and all else is refused.
/// </summary>
/// <remarks>Checked code point by code point against Hugging Face <c>tokenizers</c> 0.22 (Oniguruma 6.9).</remarks>
internal sealed class OnigurumaPattern
{
    // Sequences that case folding takes for one character (ß, ﬀ, ﬁ, ﬂ, ﬅ), which .NET does not.
    private static readonly string[] FoldedPairs = ["ss", "ff", "fi", "fl", "st"];

    private readonly string _pattern;
    private int _position;
    private char _lastLiteral;

    private OnigurumaPattern(string pattern) => _pattern = pattern;

    private bool AtEnd => _position >= _pattern.Length;

    private char Current => _pattern[_position];

    /// <summary>The pattern in .NET's syntax; it has no capturing groups.</summary>
    /// <param name="pattern">In Oniguruma's syntax.</param>
    /// <exception cref="NotSupportedException">
    /// Something in it has no certain counterpart; the message says what.
    /// </exception>
    public static string Translate(string pattern)
    {
        if (pattern.Any(char.IsSurrogate))
            throw new NotSupportedException("characters beyond U+FFFF are not supported");
        var parser = new OnigurumaPattern(pattern);
        var result = parser.ReadAlternatives(ignoreCase: false);
        return parser.AtEnd ? result : throw new NotSupportedException("a closing parenthesis has no opening one");
    }

    // Up to the end or a closing parenthesis.
    private string ReadAlternatives(bool ignoreCase)
    {
        var result = new StringBuilder();
        while (!AtEnd && Current != ')')
        {
            if (Current == '|')
            {
                result.Append(_pattern[_position++]);
                _lastLiteral = '\0';
                continue;
            }

            var (atom, repeatable) = ReadAtom(ignoreCase);
            result.Append(ReadQuantifier(atom, repeatable));
        }

        return result.ToString();
    }

    private (string Atom, bool Repeatable) ReadAtom(bool ignoreCase)
    {
        var character = Current;
        if (character is not ('(' or '[' or '\\'))
            _position++;
        switch (character)
        {
            case '(':
                return ReadGroup(ignoreCase);
            case '[':
                _lastLiteral = '\0';
                return (OnigurumaClass.Read(_pattern, ref _position, ignoreCase), true);
            case '\\':
                return ReadEscape(ignoreCase);
            case '.':
                _lastLiteral = '\0';
                return (".", true);
            case '^':
                return (@"(?:\A|(?<=\n)(?!\z))", false);
            case '$':
                return (@"(?=\n|\z)", false);
            case '?' or '*' or '+':
                throw new NotSupportedException($"'{character}' has nothing to repeat");
            default:
                return (Literal(character, ignoreCase), true);
        }
    }

    private (string Atom, bool Repeatable) ReadGroup(bool ignoreCase)
    {
        (string Opening, string Translated, bool IgnoreCase, bool Repeatable)[] kinds =
        [
            ("(?:", "(?:", ignoreCase, true), ("(?>", "(?>", ignoreCase, true),
            ("(?i:", "(?:", true, true), ("(?-i:", "(?:", false, true),
            ("(?=", "(?=", ignoreCase, false), ("(?!", "(?!", ignoreCase, false),
            ("(?<=", "(?<=", ignoreCase, false), ("(?<!", "(?<!", ignoreCase, false),
            ("(?", "", false, false),
            ("(", "(?:", ignoreCase, true),
        ];
        var kind = kinds.First(
            kind => string.CompareOrdinal(_pattern, _position, kind.Opening, 0, kind.Opening.Length) == 0);
        if (kind.Translated.Length == 0)
        {
            throw new NotSupportedException(
                $"groups of the kind \"{_pattern.Substring(_position, Math.Min(4, _pattern.Length - _position))}\" are "
                    + "not supported");
        }

        _position += kind.Opening.Length;
        var content = ReadAlternatives(kind.IgnoreCase);
        if (AtEnd)
            throw new NotSupportedException("a group is not closed");
        _position++;
        return ($"{kind.Translated}{content})", kind.Repeatable);
    }

    private (string Atom, bool Repeatable) ReadEscape(bool ignoreCase)
    {
        foreach (var anchor in (string[])[@"\A", @"\z", @"\Z"])
        {
            if (string.CompareOrdinal(_pattern, _position, anchor, 0, 2) == 0)
            {
                _position += 2;
                return (anchor, false);
            }
        }

        var escape = OnigurumaEscape.Read(_pattern, ref _position, ignoreCase);
        if (escape.Character is { } character)
            return (Literal(character, ignoreCase), true);
        _lastLiteral = '\0';
        return (escape.ToClass(), true);
    }

    private string Literal(char character, bool ignoreCase)
    {
        OnigurumaEscape.RequireOwnMeaning(character, character);
        if (!ignoreCase)
        {
            _lastLiteral = '\0';
            return OnigurumaEscape.Write(character);
        }

        var pair = string.Concat(char.ToLowerInvariant(_lastLiteral), char.ToLowerInvariant(character));
        if (FoldedPairs.Contains(pair))
            throw new NotSupportedException($"\"{pair}\" without regard to case is not supported");
        _lastLiteral = character;
        var variants = OnigurumaEscape.CaseVariants(character);
        return variants.Length == 1
            ? OnigurumaEscape.Write(character)
            : $"[{string.Concat(variants.Select(OnigurumaEscape.Write))}]";
    }

    private string ReadQuantifier(string atom, bool repeatable)
    {
        if (AtEnd || ReadRepetition() is not { } repetition)
            return atom;
        if (!repeatable)
            throw new NotSupportedException("the repetition of an assertion is not supported");
        var interval = repetition[0] == '{';
        var result = atom + repetition;
        if (!AtEnd && Current is '?' or '+')
        {
            // After an interval Oniguruma takes "?" and "+" as this library does only where they make it lazy.
            if (interval && Current == '?' && !repetition.Contains(',', StringComparison.Ordinal))
                throw new NotSupportedException("the quantifier {n}? is not supported");
            result = (interval, Current) switch
            {
                (true, '+') => $"(?:{result})+",
                (false, '+') => $"(?>{result})",
                _ => result + "?",
            };
            _position++;
        }

        return AtEnd || ReadRepetition() is null
            ? result
            : throw new NotSupportedException("the repetition of a repetition is not supported");
    }

    private string? ReadRepetition()
    {
        if (Current is '?' or '*' or '+')
            return _pattern[_position++].ToString();
        if (Current != '{')
            return null;
        var close = _pattern.IndexOf('}', _position);
        var parts = close < 0 ? [] : _pattern[(_position + 1)..close].Split(',');
        if (parts.Length is not (1 or 2) || parts.All(part => part == "")
            || parts.Any(part => part.Length > 5 || !part.All(char.IsAsciiDigit)))
            throw new NotSupportedException("'{' that begins no quantifier is not supported; write \\{");
        var least = parts[0].Length == 0 ? 0 : Number(parts[0]);
        var most = parts.Length == 1 ? least : parts[1].Length == 0 ? int.MaxValue : Number(parts[1]);
        if (most < least)
            throw new NotSupportedException("a quantifier's limits are in the wrong order");
        _position = close + 1;
        return parts.Length == 1 ? $"{{{least}}}" : most == int.MaxValue ? $"{{{least},}}" : $"{{{least},{most}}}";

        static int Number(string digits) => int.Parse(digits, CultureInfo.InvariantCulture);
    }
}
