using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using AnTransformer.Training.Tokenization.Splitting;

namespace AnTransformer.Training.Tokenization.BytePairs;

/// <summary>Everything that defines a byte-level BPE tokenizer; what its files say.</summary>
internal sealed record BytePairDefinition
{
    /// <summary>
    /// The text of each id in files (ordinary tokens in the byte-level alphabet); null for unused ids.
    /// </summary>
    public required string?[] Names { get; init; }

    /// <summary>The bytes of each id; empty for special tokens and unused ids.</summary>
    public required byte[][] Tokens { get; init; }

    /// <summary>The id of each byte by itself.</summary>
    public required int[] ByteIds { get; init; }

    /// <summary>In order of precedence.</summary>
    public required IReadOnlyList<BytePairMerge> Merges { get; init; }

    /// <summary>The id between documents, or null.</summary>
    public required int? EndOfTextId { get; init; }

    /// <summary>Added tokens, special ones included.</summary>
    public IReadOnlyList<AddedToken> AddedTokens { get; init; } = [];

    /// <summary>Whether a text's special tokens are searched for, too.</summary>
    public bool RecognizeSpecialTokens { get; init; }

    /// <summary>The added tokens that texts are searched for.</summary>
    public IEnumerable<AddedToken> MatchedTokens
        => AddedTokens.Where(token => RecognizeSpecialTokens || !token.Special);

    /// <summary>Whether text is brought into normalization form C first.</summary>
    public bool NormalizeNfc { get; init; }

    /// <summary>Steps that split the text before the byte-level step.</summary>
    public IReadOnlyList<WordSplitter> Splitters { get; init; } = [];

    /// <summary>Whether each piece that does not start with a space is given one.</summary>
    public bool AddPrefixSpace { get; init; }

    /// <summary>Whether the byte-level step splits as GPT-2 does.</summary>
    public bool SplitGpt2Words { get; init; } = true;

    /// <summary>Whether a whole word that is in the vocabulary is that token, whatever the merges.</summary>
    public bool IgnoreMerges { get; init; }

    /// <summary>The vocabulary of the model proper, for <see cref="IgnoreMerges"/>; null without.</summary>
    public Dictionary<byte[], int>? WholeWords { get; init; }

    /// <summary>The file this was read from, or null.</summary>
    public byte[]? SourceJson { get; init; }

    /// <summary>Whether the file by itself would give another end-of-text, so that it must be said beside it.</summary>
    public bool EndOfTextIsChosen { get; init; }

    /// <summary>This tokenizer with its special tokens found in texts.</summary>
    public BytePairDefinition Recognizing() => this with
    {
        RecognizeSpecialTokens = true,
        AddedTokens = EndOfTextId is { } id && AddedTokens.All(token => token.Id != id)
            ? [.. AddedTokens, new AddedToken { Id = id, Content = Names[id]!, Special = true }]
            : AddedTokens,
    };

    /// <summary>A hash of all that decides about ids.</summary>
    public string ComputeFingerprint()
    {
        var hash = new XxHash128();
        for (var id = 0; id < Tokens.Length; id++)
            AppendBytes(hash, id, Tokens[id]);
        foreach (var (left, right, merged) in Merges)
            AppendNumbers(hash, left, right, merged);
        AppendNumbers(hash, Tokens.Length, Merges.Count, EndOfTextId ?? -1);
        foreach (var token in MatchedTokens.OrderBy(token => token.Id))
        {
            AppendNumbers(hash, token.Id, token.Normalized ? 1 : 0);
            if (token.Special)
                AppendBytes(hash, token.Id, Encoding.UTF8.GetBytes(token.Content));
            if (token.SingleWord || token.StripLeft || token.StripRight)
                AppendNumbers(hash, token.SingleWord ? 1 : 0, token.StripLeft ? 1 : 0, token.StripRight ? 1 : 0);
        }

        AppendNumbers(hash, NormalizeNfc ? 1 : 0, AddPrefixSpace ? 1 : 0, SplitGpt2Words ? 1 : 0, IgnoreMerges ? 1 : 0);
        foreach (var splitter in Splitters)
        {
            AppendBytes(hash, 0, Encoding.UTF8.GetBytes(splitter.Pattern));
            if (splitter.Behavior != SplitBehavior.Isolated)
                AppendNumbers(hash, (int)splitter.Behavior, splitter.Invert ? 1 : 0);
        }

        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }

    private static void AppendBytes(XxHash128 hash, int id, byte[] bytes)
    {
        AppendNumbers(hash, id, bytes.Length);
        hash.Append(bytes);
    }

    private static void AppendNumbers(XxHash128 hash, params ReadOnlySpan<int> numbers)
    {
        Span<byte> buffer = stackalloc byte[sizeof(int)];
        foreach (var number in numbers)
        {
            BinaryPrimitives.WriteInt32LittleEndian(buffer, number);
            hash.Append(buffer);
        }
    }
}
