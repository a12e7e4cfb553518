namespace AnTransformer.Cli.Help;

/// <summary>Breaks text into lines of a width.</summary>
internal static class TextWrapping
{
    /// <summary>
    /// Lines of at most so many characters, broken between words; a word longer than a line is cut. Line feeds stay.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="width">The most characters in a line, at least 1.</param>
    public static IEnumerable<string> Wrap(string text, int width)
        => text.Split('\n').SelectMany(paragraph => WrapParagraph(paragraph, width));

    private static IEnumerable<string> WrapParagraph(string paragraph, int width)
    {
        var line = "";
        foreach (var word in paragraph.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line;
                line = "";
            }

            var rest = word;
            while (rest.Length > width)
            {
                yield return rest[..width];
                rest = rest[width..];
            }

            line = line.Length == 0 ? rest : $"{line} {rest}";
        }

        yield return line;
    }
}
