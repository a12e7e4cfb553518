using AnTransformer.Inference.Execution;

namespace AnTransformer.Inference;

/// <summary>Takes the logits of a token that was read.</summary>
/// <param name="position">The token's place among those that were given, from 0.</param>
/// <param name="logits">What the model expects after it, [V]; valid during the call.</param>
public delegate void LogitsReader(int position, ReadOnlySpan<float> logits);

/// <summary>
/// A sequence that a model reads: its keys and values, so that a new token costs a pass over itself only.
/// </summary>
public sealed unsafe class InferenceSession : IDisposable
{
    private const int LogitsAtOnce = 128;       // of a scored text: rows of V numbers each
    private readonly InferenceModel _model;
    private readonly int[] _output = new int[1];
    private readonly int[] _token = new int[1];
    private bool _disposed;

    internal InferenceSession(InferenceModel model, KeyValueStore store) => (_model, Store) = (model, store);

    /// <summary>Tokens read so far: the position of the next one.</summary>
    public int Length => Store.Length;

    /// <summary>The longest sequence: the model's context.</summary>
    public int Capacity => _model.Config.MaxPositionEmbeddings;

    /// <summary>Bytes of keys and values.</summary>
    public long CacheBytes => Store.Bytes;

    internal KeyValueStore Store { get; }

    /// <summary>Reads tokens, many at once.</summary>
    /// <param name="tokens">At least one id.</param>
    /// <returns>Logits after the last one, [V]; valid until the model's next pass.</returns>
    /// <exception cref="InvalidInputException">
    /// A token is outside the vocabulary, or attention is not causal.
    /// </exception>
    /// <exception cref="InvalidOperationException">They do not fit the context.</exception>
    public ReadOnlySpan<float> Prefill(ReadOnlySpan<int> tokens)
    {
        if (tokens.IsEmpty)
            throw new ArgumentException("At least one token is needed.", nameof(tokens));
        _model.RequireCausal();
        _model.CheckTokens(tokens);
        lock (_model.Gate)
        {
            RequireRoom(_model, tokens.Length);
            for (; tokens.Length > DecoderPass.MostTokens; tokens = tokens[DecoderPass.MostTokens..])
                _model.Run(this, tokens[..DecoderPass.MostTokens], []);
            _output[0] = tokens.Length - 1;
            return new ReadOnlySpan<float>(_model.Run(this, tokens, _output), _model.Config.VocabSize);
        }
    }

    /// <summary>Reads one token.</summary>
    /// <param name="token">Its id.</param>
    /// <inheritdoc cref="Prefill"/>
    public ReadOnlySpan<float> Decode(int token)
    {
        _model.RequireCausal();
        lock (_model.Gate)
        {
            RequireRoom(_model, 1);
            _token[0] = token;
            _model.CheckTokens(_token);
            _output[0] = 0;
            return new ReadOnlySpan<float>(_model.Run(this, _token, _output), _model.Config.VocabSize);
        }
    }

    /// <summary>Reads tokens and gives the logits after each of them.</summary>
    /// <param name="tokens">Ids; of a model whose attention is not causal the whole sequence, at most 512.</param>
    /// <param name="reader">Called for each token in order.</param>
    /// <exception cref="InvalidInputException">
    /// A token is outside the vocabulary, or attention is not causal and the sequence cannot be read at once.
    /// </exception>
    /// <exception cref="InvalidOperationException">They do not fit the context.</exception>
    public void Read(ReadOnlySpan<int> tokens, LogitsReader reader)
    {
        _model.CheckTokens(tokens);
        var part = _model.Config.IsCausal ? LogitsAtOnce : DecoderPass.MostTokens;
        if (!_model.Config.IsCausal && (Length > 0 || tokens.Length > part))
        {
            throw new InvalidInputException(
                "the model's attention is not causal (is_causal is false), so a sequence is read at once, and at most "
                    + $"{part} "
                + "tokens are; give a new and shorter one.");
        }

        lock (_model.Gate)
        {
            RequireRoom(_model, tokens.Length);
            var outputs = new int[Math.Min(part, tokens.Length)];
            for (var i = 0; i < outputs.Length; i++)
                outputs[i] = i;
            for (var start = 0; start < tokens.Length; start += part)
            {
                var count = Math.Min(part, tokens.Length - start);
                var logits = _model.Run(this, tokens.Slice(start, count), outputs.AsSpan(0, count));
                var size = _model.Config.VocabSize;
                for (var i = 0; i < count; i++)
                    reader(start + i, new ReadOnlySpan<float>(logits + ((long)i * size), size));
            }
        }
    }

    /// <summary>Forgets the end of the sequence, or all of it.</summary>
    /// <param name="length">Tokens that stay.</param>
    public void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        lock (_model.Gate)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length);
            Store.Length = length;
        }
    }

    /// <summary>Frees keys and values.</summary>
    public void Dispose()
    {
        lock (_model.Gate)
        {
            _disposed = true;
            Store.Dispose();
        }
    }

    /// <summary>Checks that tokens fit, of a session that belongs to a model.</summary>
    internal void RequireRoom(InferenceModel model, int tokens)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (!ReferenceEquals(model, _model))
            throw new ArgumentException("The session belongs to another model.", nameof(model));
        if (Length + tokens > Capacity)
            throw new InvalidOperationException($"The context holds {Capacity} tokens; {Length + tokens} were given.");
    }
}
