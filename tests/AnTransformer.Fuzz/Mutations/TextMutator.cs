namespace AnTransformer.Fuzz.Mutations;

/// <summary>Changes lines and words of text.</summary>
internal static class TextMutator
{
    /// <summary>A changed copy.</summary>
    /// <param name="text">The original.</param>
    /// <param name="random">Chance.</param>
    /// <param name="changes">Number of changes.</param>
    public static string Change(string text, Random random, int changes)
    {
        for (var change = 0; change < changes; change++)
            text = random.Next(2) == 0 ? ChangeLine(text, random) : ChangeWord(text, random);
        return text;
    }

    private static string ChangeLine(string text, Random random)
    {
        var lines = text.Split('\n').ToList();
        var (at, other) = (random.Next(lines.Count), random.Next(lines.Count));
        switch (random.Next(7))
        {
            case 0:
                lines.RemoveAt(at);
                break;
            case 1:
                lines.Insert(at, lines[other]);
                break;
            case 2:
                (lines[at], lines[other]) = (lines[other], lines[at]);
                break;
            case 3:
                lines[at] = new string(' ', random.Next(1, 5)) + lines[at];
                break;
            case 4:
                lines[at] = lines[at].TrimStart();
                break;
            case 5:
                lines[at] += lines[other];
                break;
            default:
                lines.Insert(at, random.Next(20) == 0 ? new string('x', 100_000) : Interesting.Text[random.Next(Interesting.Text.Length)]);
                break;
        }

        return string.Join('\n', lines);
    }

    private static string ChangeWord(string text, Random random)
    {
        // From one boundary of words to another one near by.
        var start = random.Next(text.Length + 1);
        while (start > 0 && start < text.Length && char.IsLetterOrDigit(text[start]) && char.IsLetterOrDigit(text[start - 1]))
            start--;
        var end = start;
        while (end < text.Length && char.IsLetterOrDigit(text[end]))
            end++;
        if (random.Next(4) == 0)
            end = Math.Min(text.Length, end + 1);
        return text[..start] + Interesting.Text[random.Next(Interesting.Text.Length)] + text[(random.Next(4) == 0 ? start : end)..];
    }
}
