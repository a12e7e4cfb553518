using System.Globalization;

namespace AnTransformer.Training.Tokenization.Splitting;

/// <summary>
/// What a backslash introduces in a regular expression of Oniguruma: a character, or a class of characters in .NET's
/// syntax.
/// </summary>
/// <param name="Character">The character, or null for a class.</param>
/// <param name="Content">
/// What stands for the class between brackets; null for a character, or where only its complement has one.
/// </param>
/// <param name="Complement">
/// What stands for all characters that are not of the class between brackets; null likewise.
/// </param>
internal readonly record struct OnigurumaEscape(char? Character, string? Content, string? Complement)
{
    // Oniguruma's \w in UTF-8: the property Alphabetic, marks, decimal digits and connectors; and, unlike anything
    // else, the superscript digits and fractions of Latin-1. U+24B6 also stands for the circled letters beyond U+FFFF.
    private const string Word = @"\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\u00B2\u00B3\u00B9\u00BC-\u00BE\u24B6-\u24E9";

    private static readonly HashSet<string> Categories =
    [
        "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "P", "Pc", "Pd", "Ps", "Pe",
        "Pi", "Pf",
        "Po", "S", "Sm", "Sc", "Sk", "So", "Z", "Zs", "Zl", "Zp", "C", "Cc", "Cf", "Co", "Cn",
    ];

    /// <summary>Reads what stands at a backslash.</summary>
    /// <exception cref="NotSupportedException">It has no certain counterpart.</exception>
    public static OnigurumaEscape Read(string pattern, ref int position, bool ignoreCase)
    {
        if (position + 1 >= pattern.Length)
            throw new NotSupportedException("the pattern ends with a backslash");
        var name = pattern[position + 1];
        position += 2;
        switch (name)
        {
            case 's':
                return new(null, @"\s", @"\S");
            case 'S':
                return new(null, @"\S", @"\s");
            case 'd':
                return new(null, @"\d", @"\D");
            case 'D':
                return new(null, @"\D", @"\d");
            case 'w' when !ignoreCase:
                return new(null, Word, null);
            case 'W' when !ignoreCase:
                return new(null, null, Word);
            case 'p' or 'P' when !ignoreCase:
                var category = ReadCategory(pattern, ref position);
                var (same, other) = ($@"\p{{{category}}}", $@"\P{{{category}}}");
                return name == 'p' ? new(null, same, other) : new(null, other, same);
            case 'w' or 'W' or 'p' or 'P':
                throw new NotSupportedException($"\\{name} without regard to case is not supported");
            case 'u':
                return new(ReadCode(pattern, ref position, 4), null, null);
            case 'x' when position < pattern.Length && pattern[position] == '{':
                position++;
                var character = ReadCode(pattern, ref position, Math.Max(0, pattern.IndexOf('}', position) - position));
                position++;
                return new(character, null, null);
            case 'x':
                return ReadCode(pattern, ref position, 2) is var code and < '\x80'
                    ? new(code, null, null)
                    : throw new NotSupportedException("\\x with a byte that is not ASCII is not supported");
            default:
                var control = "nrtfvae".IndexOf(name, StringComparison.Ordinal);
                if (control >= 0)
                    return new("\n\r\t\f\v\a\e"[control], null, null);
                return char.IsAscii(name) && !char.IsAsciiLetterOrDigit(name)
                    ? new(name, null, null)
                    : throw new NotSupportedException($"\\{name} is not supported");
        }
    }

    /// <summary>The class by itself.</summary>
    public string ToClass() => Content is { } content ? $"[{content}]" : $"[^{Complement}]";

    /// <summary>
    /// Refuses characters that would match others, beyond U+FFFF, too (see <see cref="WordSplitter"/>).
    /// </summary>
    /// <exception cref="NotSupportedException">There is one in the range.</exception>
    public static void RequireOwnMeaning(char low, char high)
    {
        if (WordSplitter.StandsForOthers(low, high))
            throw new NotSupportedException(
                $"a character from U+{(int)low:X4} to U+{(int)high:X4} stands for others here");
    }

    /// <summary>A character as .NET reads it anywhere in a pattern.</summary>
    public static string Write(char character) => char.IsAsciiLetterOrDigit(character)
        ? character.ToString()
        : $"\\u{(int)character:X4}";

    /// <summary>What Oniguruma takes a character for without regard to case.</summary>
    /// <exception cref="NotSupportedException">The character is not ASCII and might have another case.</exception>
    public static char[] CaseVariants(char character)
    {
        if (!char.IsAscii(character))
        {
            return char.IsPunctuation(character) || char.IsSeparator(character)
                ? [character]
                : throw new NotSupportedException(
                    "letters that are not ASCII without regard to case are not supported");
        }

        return char.ToLowerInvariant(character) switch
        {
            's' => ['s', 'S', '\u017F'],
            'k' => ['k', 'K', '\u212A'],
            var lower when char.IsAsciiLetter(lower) => [lower, char.ToUpperInvariant(lower)],
            _ => [character],
        };
    }

    private static string ReadCategory(string pattern, ref int position)
    {
        var close = pattern.IndexOf('}', position);
        var category = close > position && pattern[position] == '{' ? pattern[(position + 1)..close] : "";
        if (!Categories.Contains(category))
            throw new NotSupportedException(
                "\\p with anything else than a general category such as {L} or {Nd} is not supported");
        position = close + 1;
        return category;
    }

    private static char ReadCode(string pattern, ref int position, int length)
    {
        if (position + length <= pattern.Length
            && int.TryParse(
                pattern.AsSpan(position, length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture,
                out var code)
            && code is >= 0 and <= char.MaxValue && !char.IsSurrogate((char)code))
        {
            position += length;
            return (char)code;
        }

        throw new NotSupportedException(
            "a character by a number other than 1 to 4 hexadecimal digits is not supported");
    }
}
