using System.Collections.Concurrent;
using System.Text;
using AnTransformer.Training.Tokenization.Files;
using AnTransformer.Training.Tokenization.Normalization;
using AnTransformer.Training.Tokenization.Splitting;

namespace AnTransformer.Training.Tokenization.BytePairs;

/// <summary>
/// Byte-level byte-pair encoding as in GPT-2 (Radford et al., 2019) and Hugging Face <c>tokenizers</c>, whose ids it
/// reproduces. Made by <see cref="TokenizerFiles.Load"/> or by <see cref="BytePairTrainer"/>.
/// </summary>
/// <remarks>
/// Every text decodes to the bytes that were encoded, unless the tokenizer's file declares a normalizer (NFC), a prefix
/// space, or a step that drops characters, which change the text, or special tokens are recognized, which have no
/// bytes.
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

    /// <summary>What its files say.</summary>
    internal BytePairDefinition Definition => _definition;

    /// <inheritdoc/>
    public override int VocabularySize => _definition.Tokens.Length;

    /// <inheritdoc/>
    public override int? EndOfTextId => _definition.EndOfTextId;

    /// <inheritdoc/>
    public override string? EndOfText => EndOfTextId is { } id ? _definition.Names[id] : null;

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
    /// Writes <c>tokenizer.json</c>, in the format of Hugging Face <c>tokenizers</c>. A tokenizer that was loaded from
    /// such a file is written as it was read, with a <c>tokenizer_config.json</c> where the file alone does not say
    /// what ends a text.
    /// </summary>
    /// <inheritdoc/>
    public override void Save(string directory)
    {
        TokenizerJsonWriter.WriteFile(
            directory, TokenizerJsonWriter.FileName, _definition.SourceJson ?? TokenizerJsonWriter.ToJson(_definition));
        if (_definition is { EndOfTextIsChosen: true, EndOfTextId: { } id })
            TokenizerJsonWriter.WriteFile(
                directory, SpecialTokenFiles.ConfigurationFile, SpecialTokenFiles.Write(_definition.Names[id]!));
    }

    /// <summary>This tokenizer with its special tokens found in texts.</summary>
    internal BytePairTokenizer Recognizing() => new(_definition.Recognizing());

    private AddedTokenSplitter? BuildSplitter(bool normalized)
    {
        // A token that is searched for in normalized text is normalized itself.
        var tokens = _definition.MatchedTokens.Where(token => token.Normalized == normalized)
            .Select(
                token => (normalized ? Normalize(Encoding.UTF8.GetBytes(token.Content)).ToArray()
                    : Encoding.UTF8.GetBytes(token.Content), token))
            .ToList();
        return tokens.Count == 0 ? null : new AddedTokenSplitter(tokens);
    }

    private ReadOnlySpan<byte> Normalize(ReadOnlySpan<byte> text) =>
        _definition.NormalizeNfc ? NfcNormalizer.Normalize(text) : text;

    private void EncodeRaw(ReadOnlySpan<byte> text, BytePairEncoder encoder, List<int> tokens)
    {
        var (search, taken) = (0, 0);
        while (taken < text.Length)
        {
            var (id, found) = (-1, (Start: text.Length, End: text.Length));
            if (_rawTokens is not null)
                id = _rawTokens.FindNext(text, ref search, taken, out found);
            EncodeNormalized(Normalize(text[taken..Math.Max(taken, found.Start)]), encoder, tokens);
            if (id >= 0)
                tokens.Add(id);
            taken = found.End;
        }
    }

    private void EncodeNormalized(ReadOnlySpan<byte> text, BytePairEncoder encoder, List<int> tokens)
    {
        var (search, taken) = (0, 0);
        while (taken < text.Length)
        {
            var (id, found) = (-1, (Start: text.Length, End: text.Length));
            if (_normalizedTokens is not null)
                id = _normalizedTokens.FindNext(text, ref search, taken, out found);
            EncodePiece(text[taken..Math.Max(taken, found.Start)], 0, encoder, tokens);
            if (id >= 0)
                tokens.Add(id);
            taken = found.End;
        }
    }

    private void EncodePiece(ReadOnlySpan<byte> text, int step, BytePairEncoder encoder, List<int> tokens)
    {
        if (text.Length == 0)
            return;
        if (step < _definition.Splitters.Count)
        {
            var pieces = new List<Range>();
            _definition.Splitters[step].Split(text, pieces);
            foreach (var piece in pieces)
                EncodePiece(text[piece], step + 1, encoder, tokens);
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
