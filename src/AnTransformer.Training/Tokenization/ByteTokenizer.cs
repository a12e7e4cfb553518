using AnTransformer.Training.Tokenization.BytePairs;
using AnTransformer.Training.Tokenization.Files;

namespace AnTransformer.Training.Tokenization;

/// <summary>
/// The tokenizer without a vocabulary: a token is a byte, and id 256 ends a text. Its file is that of a byte-level BPE
/// without merges, which Hugging Face <c>tokenizers</c> loads.
/// </summary>
public sealed class ByteTokenizer : Tokenizer
{
    private const int EndOfTextToken = 256;

    private static readonly byte[] AllBytes = [.. Enumerable.Range(0, 256).Select(value => (byte)value)];

    /// <summary>257: the bytes and end-of-text.</summary>
    public override int VocabularySize => EndOfTextToken + 1;

    /// <summary>256.</summary>
    public override int? EndOfTextId => EndOfTextToken;

    /// <inheritdoc/>
    public override string? EndOfText => BytePairVocabulary.EndOfText;

    /// <inheritdoc/>
    public override void Encode(ReadOnlySpan<byte> text, List<int> tokens)
    {
        var count = tokens.Count;
        System.Runtime.InteropServices.CollectionsMarshal.SetCount(tokens, count + text.Length);
        var ids = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(tokens)[count..];
        for (var i = 0; i < text.Length; i++)
            ids[i] = text[i];
    }

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> GetBytes(int token)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(token);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(token, VocabularySize);
        return token == EndOfTextToken ? [] : AllBytes.AsSpan(token, 1);
    }

    /// <inheritdoc/>
    public override void Save(string directory) =>
        TokenizerJsonWriter.WriteFile(
            directory, TokenizerJsonWriter.FileName, TokenizerJsonWriter.ToJson(Definition()));

    /// <summary>Whether a tokenizer read from a file computes just what this class does.</summary>
    internal static bool Matches(BytePairDefinition definition) =>
        definition is { Merges.Count: 0, EndOfTextId: EndOfTextToken, NormalizeNfc: false, AddPrefixSpace: false }
        && !definition.IgnoreMerges
        && definition.Tokens.Length == EndOfTextToken + 1
        && definition.Names[EndOfTextToken] == BytePairVocabulary.EndOfText
        && !definition.MatchedTokens.Any()
        && definition.Splitters.Count == 0
        && definition.ByteIds.AsSpan().SequenceEqual([.. Enumerable.Range(0, 256)]);

    /// <summary>The same tokenizer as a byte-pair encoding without merges.</summary>
    internal static BytePairDefinition Definition() => new()
    {
        Names = [.. AllBytes.Select(value => ByteLevelAlphabet.ToText([value])), BytePairVocabulary.EndOfText],
        Tokens = [.. AllBytes.Select(value => new[] { value }), []],
        ByteIds = [.. Enumerable.Range(0, 256)],
        Merges = [],
        EndOfTextId = EndOfTextToken,
    };
}
