using System.Globalization;
using System.Text;

namespace AnTransformer;

/// <summary>
/// Text of unknown origin (what files, command lines and systems say) made safe for a message: one line, nothing
/// invisible, not too long. Control characters become escapes such as <c>\n</c> and <c>\u001b</c>, so that no file can
/// drive the terminal or forge a line.
/// </summary>
public static class Printable
{
    /// <summary>The most characters a quotation takes in a message.</summary>
    public const int LongestExcerpt = 60;

    private const int LongestLine = 2000;

    /// <summary>A text on one line, as an error or a log prints it; beyond 2000 characters it is cut.</summary>
    /// <param name="text">Any text.</param>
    public static string Line(string text) => Cut(text, LongestLine);

    /// <summary>
    /// A piece of input as errors quote it: on one line, cut after <paramref name="longest"/> characters of output.
    /// </summary>
    /// <param name="text">Any text.</param>
    /// <param name="longest">The most characters to keep.</param>
    public static string Excerpt(string text, int longest = LongestExcerpt) => Cut(text, longest);

    /// <summary>
    /// <c>before → after</c> for a message, each cut after <see cref="LongestExcerpt"/> characters. Where they differ
    /// only beyond that, as long lists may, the excerpts begin shortly before the first difference.
    /// </summary>
    /// <param name="before">Any text.</param>
    /// <param name="after">Any other text.</param>
    public static string Change(string before, string after)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        const int lead = 20;
        var same = before.AsSpan().CommonPrefixLength(after);
        return same < LongestExcerpt - lead || Math.Max(before.Length, after.Length) <= LongestExcerpt
            ? $"{Excerpt(before)} → {Excerpt(after)}"
            : $"…{Excerpt(before[(same - lead)..])} → …{Excerpt(after[(same - lead)..])}";
    }

    /// <summary>
    /// A text that may have several lines, for a terminal: line feeds and tabs stay, other control characters are
    /// escaped.
    /// </summary>
    /// <param name="text">Any text.</param>
    public static string Lines(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var visible = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
            visible.Append(rune.Value is '\n' or '\t' || !Rune.IsControl(rune) ? rune.ToString() : Visible(rune));
        return visible.ToString();
    }

    private static string Cut(string text, int longest)
    {
        ArgumentNullException.ThrowIfNull(text);
        var visible = new StringBuilder(Math.Min(text.Length, longest));
        // A lone surrogate is enumerated as U+FFFD, and so is no longer one.
        foreach (var rune in text.EnumerateRunes())
        {
            var next = Visible(rune);
            if (visible.Length + next.Length > longest)
                return visible.Append('…').ToString();
            visible.Append(next);
        }

        return visible.ToString();
    }

    private static string Visible(Rune rune) => rune.Value switch
    {
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        _ when IsInvisible(rune) => rune.IsBmp ? $"\\u{rune.Value:x4}" : $"\\U{rune.Value:x8}",
        _ => rune.ToString(),
    };

    // Format characters turn the direction of what follows or hide in names; separators other than the space break
    // lines.
    private static bool IsInvisible(Rune rune) => Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator;
}
