namespace AnTransformer.Inference.Weights;

/// <summary>
/// Memory for packed matrices, one behind the other in large blocks: a matrix alone is often smaller than the large
/// pages that save address translations, and a token reads all of them in this order.
/// </summary>
internal sealed unsafe class WeightArena : IDisposable
{
    private const long BlockBytes = 64 << 20;
    private const long Alignment = 64;
    private readonly List<NativeBuffer> _blocks = [];
    private long _used;

    /// <summary>Bytes that matrices take.</summary>
    public long Bytes { get; private set; }

    /// <summary>Takes memory, zero at first, on a 64-byte boundary.</summary>
    /// <param name="bytes">How much.</param>
    /// <exception cref="OutOfMemoryException">There is not that much.</exception>
    public byte* Take(long bytes)
    {
        if (_blocks.Count == 0 || _used + bytes > _blocks[^1].Bytes)
        {
            // What is never written of a block costs nothing.
            _blocks.Add(new NativeBuffer(Math.Max(BlockBytes, bytes)));
            _used = 0;
        }

        var pointer = _blocks[^1].Pointer + _used;
        _used = (_used + bytes + Alignment - 1) / Alignment * Alignment;
        Bytes += bytes;
        return pointer;
    }

    /// <inheritdoc/>
    public void Dispose() => _blocks.ForEach(block => block.Dispose());
}
