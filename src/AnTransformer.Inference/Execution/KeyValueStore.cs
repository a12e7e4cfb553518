using AnTransformer.Configuration;

namespace AnTransformer.Inference.Execution;

/// <summary>
/// Keys and values of one sequence, rotated and normalized, in the panels in which tiles read their second factor: keys
/// as [K, positions / P, d_h, P], whose products with a query are the scores of P neighbouring positions, and values as
/// [K, d_h / P, positions, P], whose products with probabilities are P channels of the result. It grows as it is
/// filled.
/// </summary>
internal sealed unsafe class KeyValueStore : IDisposable
{
    private const int FirstPositions = 256;
    private readonly AttentionShape _shape;
    private readonly int _capacity;
    private readonly int _panel;
    private readonly int _channels;
    private NativeBuffer[] _keys = [];
    private NativeBuffer[] _values = [];
    private int _positions;

    /// <summary>An empty store.</summary>
    /// <param name="config">The model's sizes.</param>
    /// <param name="panel">P.</param>
    public KeyValueStore(ModelConfig config, int panel)
    {
        (_shape, _panel) = (config.Attention, panel);
        _capacity = RoundUp(config.MaxPositionEmbeddings, panel);
        _channels = RoundUp(_shape.HeadSize, panel);
        Layers = config.NumHiddenLayers;
    }

    /// <summary>L.</summary>
    public int Layers { get; }

    /// <summary>Positions held.</summary>
    public int Length { get; set; }

    /// <summary>Bytes taken from the system.</summary>
    public long Bytes => _keys.Concat(_values).Sum(buffer => buffer.Bytes);

    /// <summary>Makes room.</summary>
    /// <param name="length">Positions that will be held.</param>
    public void Reserve(int length)
    {
        if (length <= _positions)
            return;
        var positions = Math.Min(_capacity, Math.Max(FirstPositions, 2 * _positions));
        while (positions < length)
            positions = Math.Min(_capacity, 2 * positions);
        positions = RoundUp(positions, _panel);
        var keys = Moved(_keys, positions, _shape.HeadSize, _shape.KeyValueHeads);
        // Of values, every panel of channels is a stretch of positions of its own.
        var values = Moved(_values, positions, _panel, _shape.KeyValueHeads * (_channels / _panel));
        foreach (var old in _keys.Concat(_values))
            old.Dispose();
        (_keys, _values, _positions) = (keys, values, positions);
    }

    /// <summary>A head's panel of keys: [d_h, P].</summary>
    /// <param name="layer">From 0.</param>
    /// <param name="head">Of the K heads.</param>
    /// <param name="position">The panel's first position, a multiple of P.</param>
    public float* Keys(int layer, int head, int position)
        => _keys[layer].Floats + ((((long)head * _positions) + position) * _shape.HeadSize);

    /// <summary>A panel of channels of a head's values, from a position on: [positions, P].</summary>
    /// <param name="layer">From 0.</param>
    /// <param name="head">Of the K heads.</param>
    /// <param name="channel">The panel's first channel, a multiple of P.</param>
    /// <param name="position">The first position.</param>
    public float* Values(int layer, int head, int channel, int position)
        => _values[layer].Floats
            + ((((((long)head * (_channels / _panel)) + (channel / _panel)) * _positions) + position) * _panel);

    /// <summary>Adds a position's key and value of one head.</summary>
    /// <param name="layer">From 0.</param>
    /// <param name="head">Of the K heads.</param>
    /// <param name="position">Below what was reserved.</param>
    /// <param name="key">[d_h].</param>
    /// <param name="value">[d_h].</param>
    public void Write(int layer, int head, int position, float* key, float* value)
    {
        var within = position % _panel;
        var target = Keys(layer, head, position - within) + within;
        for (var i = 0; i < _shape.HeadSize; i++, target += _panel)
            *target = key[i];
        for (var channel = 0; channel < _shape.HeadSize; channel += _panel)
        {
            var count = Math.Min(_panel, _shape.HeadSize - channel);
            new ReadOnlySpan<float>(value + channel, count)
                .CopyTo(new Span<float>(Values(layer, head, channel, position), count));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var buffer in _keys.Concat(_values))
            buffer.Dispose();
        (_keys, _values, _positions, Length) = ([], [], 0, 0);
    }

    private static int RoundUp(int count, int multiple) => (int)(((long)count + multiple - 1) / multiple * multiple);

    private NativeBuffer[] Moved(NativeBuffer[] old, int positions, int width, int stretches)
    {
        var moved = new NativeBuffer[Layers];
        for (var layer = 0; layer < Layers; layer++)
        {
            moved[layer] = NativeBuffer.OfFloats((long)stretches * positions * width);
            var bytes = (long)_positions * width * sizeof(float);
            for (long stretch = 0; stretch < stretches && bytes > 0; stretch++)
            {
                Buffer.MemoryCopy(
                    old[layer].Floats + (stretch * _positions * width), moved[layer].Floats
                        + (stretch * positions * width),
                    bytes, bytes);
            }
        }

        return moved;
    }
}
