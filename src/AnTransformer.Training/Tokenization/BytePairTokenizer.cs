using System.Collections.Concurrent;

namespace AnTransformer.Training.Tokenization;

/// <summary>
/// Byte-level byte-pair encoding as in GPT-2 (Radford et al., 2019) and Hugging Face <c>tokenizers</c>, whose ids it
/// reproduces. Made by <see cref="TokenizerFiles.Load"/> or by <see cref="BytePairTrainer"/>.
/// </summary>
/// <remarks>
/// Every text decodes to the bytes that were encoded, unless the tokenizer's file declares a normalizer (NFC) or a prefix
/// space, which change the text.
/// </remarks>
public sealed class BytePairTokenizer : Tokenizer
{
    private readonly BytePairDefinition _definition;
    private readonly BytePairMerges _merges;
    private readonly AddedTokenSplitter? _rawTokens;
    private readonly AddedTokenSplitter? _normalizedTokens;
    private readonly bool _isPlainGpt2;
    private readonly Lazy<string> _fingerprint;

    // Encoders hold caches; there are never more of them than calls that ran at the same time.
    private readonly ConcurrentBag<BytePairEncoder> _encoders = [];

    internal BytePairTokenizer(BytePairDefinition definition)
    {
        _definition = definition;
        _merges = new BytePairMerges(definition.Merges, definition.ByteIds, definition.WholeWords);
        _rawTokens = BuildSplitter(normalized: false);
        _normalizedTokens = BuildSplitter(normalized: true);
        _isPlainGpt2 = definition is { SplitGpt2Words: true, AddPrefixSpace: false, NormalizeNfc: false }
            && _definition.Splitters.Count == 0 && _rawTokens is null && _normalizedTokens is null;
        _fingerprint = new Lazy<string>(definition.ComputeFingerprint);
    }

    /// <inheritdoc/>
    public override int VocabularySize => _definition.Tokens.Length;

    /// <inheritdoc/>
    public override int? EndOfTextId => _definition.EndOfTextId;

    /// <summary>The number of merges.</summary>
    public int MergeCount => _definition.Merges.Count;

    /// <inheritdoc/>
    public override string Fingerprint => _fingerprint.Value;

    /// <inheritdoc/>
    public override void Encode(ReadOnlySpan<byte> text, List<int> tokens)
    {
        if (!_encoders.TryTake(out var encoder))
            encoder = new BytePairEncoder(_merges);
        if (_isPlainGpt2)
            encoder.EncodeGpt2(text, tokens);
        else
            EncodeRaw(text, encoder, tokens);
        _encoders.Add(encoder);
    }

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> GetBytes(int token)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(token);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(token, VocabularySize);
        return _definition.Tokens[token];
    }

    /// <summary>
    /// Writes <c>tokenizer.json</c>, in the format of Hugging Face <c>tokenizers</c>. A tokenizer that was loaded from such a
    /// file is written as it was read.
    /// </summary>
    /// <inheritdoc/>
    public override void Save(string directory) =>
        TokenizerJsonWriter.WriteFile(directory, _definition.SourceJson ?? TokenizerJsonWriter.ToJson(_definition));

    private AddedTokenSplitter? BuildSplitter(bool normalized)
    {
        var tokens = _definition.MatchedTokens.Where(token => token.Normalized == normalized)
            .Select(token => (_definition.Tokens[token.Id], token.Id))
            .ToList();
        return tokens.Count == 0 ? null : new AddedTokenSplitter(tokens);
    }

    private void EncodeRaw(ReadOnlySpan<byte> text, BytePairEncoder encoder, List<int> tokens)
    {
        while (text.Length > 0)
        {
            var (id, start, length) = (-1, text.Length, 0);
            if (_rawTokens is not null)
                id = _rawTokens.FindFirst(text, out start, out length);
            var normalized = _definition.NormalizeNfc ? NfcNormalizer.Normalize(text[..start]) : text[..start];
            EncodeNormalized(normalized, encoder, tokens);
            if (id >= 0)
                tokens.Add(id);
            text = text[(start + length)..];
        }
    }

    private void EncodeNormalized(ReadOnlySpan<byte> text, BytePairEncoder encoder, List<int> tokens)
    {
        while (text.Length > 0)
        {
            var (id, start, length) = (-1, text.Length, 0);
            if (_normalizedTokens is not null)
                id = _normalizedTokens.FindFirst(text, out start, out length);
            EncodePiece(text[..start], 0, encoder, tokens);
            if (id >= 0)
                tokens.Add(id);
            text = text[(start + length)..];
        }
    }

    private void EncodePiece(ReadOnlySpan<byte> text, int step, BytePairEncoder encoder, List<int> tokens)
    {
        if (text.Length == 0)
            return;
        if (step < _definition.Splitters.Count)
        {
            var ends = new List<int>();
            _definition.Splitters[step].Split(text, ends);
            var start = 0;
            foreach (var end in ends)
            {
                EncodePiece(text[start..end], step + 1, encoder, tokens);
                start = end;
            }

            return;
        }

        if (_definition.AddPrefixSpace && text[0] != ' ')
            text = (byte[])[(byte)' ', .. text];
        if (_definition.SplitGpt2Words)
            encoder.EncodeGpt2(text, tokens);
        else
            encoder.EncodeWhole(text, tokens);
    }
}
