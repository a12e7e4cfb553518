namespace AnTransformer.Training.Tokenization;

/// <summary>
/// Finds the added tokens of a vocabulary that are matched in ordinary text before pre-tokenization (such as GPT-NeoX's runs
/// of spaces): always the leftmost, of several the longest, as Hugging Face <c>tokenizers</c> does.
/// </summary>
internal sealed class AddedTokenSplitter
{
    private readonly (byte[] Bytes, int Id)?[] _oneByte = new (byte[], int)?[256];
    private readonly Dictionary<int, (byte[] Bytes, int Id)[]> _byFirstTwo;
    private readonly System.Buffers.SearchValues<byte> _firstBytes;

    /// <summary>Creates the splitter.</summary>
    /// <param name="tokens">The texts, none empty, and their ids.</param>
    public AddedTokenSplitter(IReadOnlyList<(byte[] Bytes, int Id)> tokens)
    {
        foreach (var token in tokens.Where(token => token.Bytes.Length == 1))
            _oneByte[token.Bytes[0]] = token;
        _byFirstTwo = tokens.Where(token => token.Bytes.Length > 1)
            .GroupBy(token => FirstTwo(token.Bytes))
            .ToDictionary(group => group.Key, group => group.OrderByDescending(token => token.Bytes.Length).ToArray());
        _firstBytes = System.Buffers.SearchValues.Create([.. tokens.Select(token => token.Bytes[0]).Distinct()]);
    }

    /// <summary>Finds the first added token of a text.</summary>
    /// <param name="text">Any bytes.</param>
    /// <param name="start">Receives its place, or the text's length when there is none.</param>
    /// <param name="length">Receives its number of bytes, or 0.</param>
    /// <returns>Its id, or -1.</returns>
    public int FindFirst(ReadOnlySpan<byte> text, out int start, out int length)
    {
        for (start = 0; start < text.Length; start++)
        {
            var skip = text[start..].IndexOfAny(_firstBytes);
            if (skip < 0)
                break;
            start += skip;
            var rest = text[start..];
            if (rest.Length > 1 && _byFirstTwo.TryGetValue(FirstTwo(rest), out var candidates))
            {
                foreach (var (bytes, id) in candidates)
                {
                    if (rest.StartsWith(bytes))
                    {
                        length = bytes.Length;
                        return id;
                    }
                }
            }

            if (_oneByte[rest[0]] is { } single)
            {
                length = 1;
                return single.Id;
            }
        }

        start = text.Length;
        length = 0;
        return -1;
    }

    private static int FirstTwo(ReadOnlySpan<byte> bytes) => bytes[0] | (bytes[1] << 8);
}
