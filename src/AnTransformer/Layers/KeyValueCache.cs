using static TorchSharp.torch;

namespace AnTransformer.Layers;

/// <summary>Keys and values of the tokens read so far, so that a new token costs one pass over itself only.</summary>
public sealed class KeyValueCache : IDisposable
{
    internal const string NotCausal =
        "Bidirectional attention has no key-value cache, since every token sees those after it; "
        + "pass all tokens at once, without one.";

    private readonly LayerCache[] _layers;

    /// <summary>Creates an empty cache.</summary>
    /// <param name="layers">L.</param>
    /// <param name="capacity">The longest context in tokens.</param>
    /// <param name="span">
    /// Number of tokens that a token sees, itself included; keys that no later token sees are let go.
    /// </param>
    public KeyValueCache(int layers, long capacity, long span = long.MaxValue)
        => _layers = Enumerable.Range(0, layers).Select(_ => new LayerCache(capacity, span)).ToArray();

    /// <summary>Number of tokens read: the position of the next one.</summary>
    public long Length => _layers[0].Length;

    /// <summary>The cache of one block.</summary>
    /// <param name="layer">Its index.</param>
    public LayerCache this[int layer] => _layers[layer];

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var layer in _layers)
            layer.Dispose();
    }
}

/// <summary>Keys and values of one block's K heads, kept as attention sees them: rotated and normalized.</summary>
/// <param name="capacity">The longest context in tokens.</param>
/// <param name="span">Number of tokens that a token sees, itself included.</param>
public sealed class LayerCache(long capacity, long span = long.MaxValue) : IDisposable
{
    // Twice the window: what is still seen moves to the front once in a window's tokens, and is a view of adjacent
    // memory throughout.
    private readonly long _size = span < capacity / 2 ? 2 * span : capacity;
    private long _held;
    private Tensor? _keys;
    private Tensor? _values;

    /// <summary>Number of tokens read.</summary>
    public long Length { get; private set; }

    /// <summary>Adds the keys and values of new tokens.</summary>
    /// <param name="key">Shape [B, K, t, d_h].</param>
    /// <param name="value">Shape [B, K, t, d_h].</param>
    /// <returns>
    /// Keys and values so far, [B, K, n, d_h], the last ones those of the new tokens: all that the new tokens see, and
    /// perhaps more. Valid until the next call.
    /// </returns>
    /// <exception cref="InvalidOperationException">More tokens than the capacity.</exception>
    public (Tensor Keys, Tensor Values) Append(Tensor key, Tensor value)
    {
        var added = key.shape[2];
        if (Length + added > capacity)
            throw new InvalidOperationException($"The cache holds {capacity} tokens; {Length + added} were given.");
        _keys ??= Allocate(key);
        _values ??= Allocate(value);
        Length += added;
        var seen = Math.Min(_held, span - 1);
        if (seen + added > _size)
            return AppendMore(key, value, seen);
        if (_held + added > _size)
        {
            Write(_keys, 0, Last(_keys, seen).clone());
            Write(_values, 0, Last(_values, seen).clone());
            _held = seen;
        }

        Write(_keys, _held, key);
        Write(_values, _held, value);
        _held += added;
        return (_keys.narrow(2, 0, _held), _values.narrow(2, 0, _held));
    }

    /// <summary>Of more tokens than there is memory for, only those stay that a later token sees.</summary>
    private (Tensor Keys, Tensor Values) AppendMore(Tensor key, Tensor value, long seen)
    {
        var keys = cat([Last(_keys!, seen), key], 2);
        var values = cat([Last(_values!, seen), value], 2);
        var stay = span - 1;
        Write(_keys!, 0, keys.narrow(2, keys.shape[2] - stay, stay));
        Write(_values!, 0, values.narrow(2, values.shape[2] - stay, stay));
        _held = stay;
        return (keys, values);
    }

    private Tensor Last(Tensor tensor, long count) => tensor.narrow(2, _held - count, count);

    private static void Write(Tensor tensor, long at, Tensor part)
    {
        using var place = tensor.narrow(2, at, part.shape[2]);
        place.copy_(part);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _keys?.Dispose();
        _values?.Dispose();
    }

    private Tensor Allocate(Tensor like)
        => zeros([like.shape[0], like.shape[1], _size, like.shape[3]], dtype: like.dtype, device: like.device)
            .DetachFromDisposeScope();
}
