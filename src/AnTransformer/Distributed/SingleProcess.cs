namespace AnTransformer.Distributed;

/// <summary>A group of one.</summary>
internal sealed unsafe class SingleProcess : ProcessGroup
{
    /// <inheritdoc/>
    public override int Rank => 0;

    /// <inheritdoc/>
    public override int Size => 1;

    /// <inheritdoc/>
    public override Task StartSum(float* values, long count, GradientDtype dtype) => Task.CompletedTask;

    /// <inheritdoc/>
    public override Task StartReduceScatter(
        float* values, IReadOnlyList<IReadOnlyList<BufferSegment>> parts, GradientDtype dtype) => Task.CompletedTask;

    /// <inheritdoc/>
    public override void AllGather(float* values, IReadOnlyList<IReadOnlyList<BufferSegment>> parts)
    {
    }

    /// <inheritdoc/>
    public override IReadOnlyList<byte[]> Gather(byte[] mine) => [mine];

    /// <inheritdoc/>
    public override void Broadcast(Span<byte> bytes)
    {
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
    }
}
