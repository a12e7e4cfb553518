using System.Text;

namespace AnTransformer.Training.Tokenization.Splitting;

/// <summary>
/// Finds the added tokens of a vocabulary in a text (such as GPT-NeoX's runs of spaces): always the leftmost, of
/// several the longest, as Hugging Face <c>tokenizers</c> does.
/// </summary>
internal sealed class AddedTokenSplitter
{
    private readonly (byte[] Bytes, AddedToken Token)?[] _oneByte = new (byte[], AddedToken)?[256];
    private readonly Dictionary<int, (byte[] Bytes, AddedToken Token)[]> _byFirstTwo;
    private readonly System.Buffers.SearchValues<byte> _firstBytes;

    /// <summary>Creates the splitter.</summary>
    /// <param name="tokens">What is searched for, none empty, and the tokens.</param>
    public AddedTokenSplitter(IReadOnlyList<(byte[] Bytes, AddedToken Token)> tokens)
    {
        foreach (var token in tokens.Where(token => token.Bytes.Length == 1))
            _oneByte[token.Bytes[0]] = token;
        _byFirstTwo = tokens.Where(token => token.Bytes.Length > 1)
            .GroupBy(token => FirstTwo(token.Bytes))
            .ToDictionary(group => group.Key, group => group.OrderByDescending(token => token.Bytes.Length).ToArray());
        _firstBytes = System.Buffers.SearchValues.Create([.. tokens.Select(token => token.Bytes[0]).Distinct()]);
    }

    /// <summary>Finds the next added token of a text.</summary>
    /// <param name="text">Any bytes: the whole text, since flags look at what stands around a token.</param>
    /// <param name="search">Where to search from, 0 at first; receives where to go on.</param>
    /// <param name="taken">How much of the text earlier tokens have taken.</param>
    /// <param name="found">
    /// Receives what the token takes of the text; empty, at the text's end, when there is none.
    /// </param>
    /// <returns>Its id, or -1.</returns>
    public int FindNext(ReadOnlySpan<byte> text, ref int search, int taken, out (int Start, int End) found)
    {
        while (Find(text, search, out var start) is { } match)
        {
            var end = start + match.Bytes.Length;
            search = end;
            if (match.Token.SingleWord && (EndsWithWord(text[..start]) || StartsWithWord(text[end..])))
                continue;
            if (match.Token.StripLeft)
                start = Math.Max(taken, start - CharacterClasses.SpacesAtEnd(text[..start]));
            if (match.Token.StripRight)
                end += CharacterClasses.SpacesAtStart(text[end..]);
            found = (start, end);
            return match.Token.Id;
        }

        found = (text.Length, text.Length);
        return -1;
    }

    private (byte[] Bytes, AddedToken Token)? Find(ReadOnlySpan<byte> text, int from, out int start)
    {
        for (start = from; start < text.Length; start++)
        {
            var skip = text[start..].IndexOfAny(_firstBytes);
            if (skip < 0)
                break;
            start += skip;
            var rest = text[start..];
            if (rest.Length > 1 && _byFirstTwo.TryGetValue(FirstTwo(rest), out var candidates))
            {
                foreach (var candidate in candidates)
                {
                    if (rest.StartsWith(candidate.Bytes))
                        return candidate;
                }
            }

            if (_oneByte[rest[0]] is { } single)
                return single;
        }

        start = text.Length;
        return null;
    }

    private static bool EndsWithWord(ReadOnlySpan<byte> text) =>
        Rune.DecodeLastFromUtf8(text, out var rune, out _) == System.Buffers.OperationStatus.Done
            && CharacterClasses.IsWord(rune);

    private static bool StartsWithWord(ReadOnlySpan<byte> text) =>
        Rune.DecodeFromUtf8(text, out var rune, out _) == System.Buffers.OperationStatus.Done
            && CharacterClasses.IsWord(rune);

    private static int FirstTwo(ReadOnlySpan<byte> bytes) => bytes[0] | (bytes[1] << 8);
}
