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
    public KeyValueCache(int layers, long capacity)
        => _layers = Enumerable.Range(0, layers).Select(_ => new LayerCache(capacity)).ToArray();

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
public sealed class LayerCache(long capacity) : IDisposable
{
    private Tensor? _keys;
    private Tensor? _values;

    /// <summary>Number of tokens held.</summary>
    public long Length { get; private set; }

    /// <summary>Adds the keys and values of new tokens.</summary>
    /// <param name="key">Shape [B, K, t, d_h].</param>
    /// <param name="value">Shape [B, K, t, d_h].</param>
    /// <returns>All keys and values so far, [B, K, Length, d_h], as views of the cache.</returns>
    /// <exception cref="InvalidOperationException">More tokens than the capacity.</exception>
    public (Tensor Keys, Tensor Values) Append(Tensor key, Tensor value)
    {
        var added = key.shape[2];
        if (Length + added > capacity)
            throw new InvalidOperationException($"The cache holds {capacity} tokens; {Length + added} were given.");
        _keys ??= Allocate(key);
        _values ??= Allocate(value);
        using (var keys = _keys.narrow(2, Length, added))
        using (var values = _values.narrow(2, Length, added))
        {
            keys.copy_(key);
            values.copy_(value);
        }

        Length += added;
        return (_keys.narrow(2, 0, Length), _values.narrow(2, 0, Length));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _keys?.Dispose();
        _values?.Dispose();
    }

    private Tensor Allocate(Tensor like)
        => zeros([like.shape[0], like.shape[1], capacity, like.shape[3]], dtype: like.dtype, device: like.device).DetachFromDisposeScope();
}
