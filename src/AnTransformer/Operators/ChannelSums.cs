using AnTransformer.Kernels;
using AnTransformer.Kernels.Cpu;

namespace AnTransformer.Operators;

/// <summary>
/// Shares rows among threads in a fixed number of blocks, each with sums per channel of its own. The sums are added up
/// in the blocks' order, so that the result does not depend on the number of threads or on which was faster.
/// </summary>
internal sealed unsafe class ChannelSums : IDisposable
{
    private const int Blocks = 16;
    private const int Alignment = 16;
    private readonly int _channels;
    private readonly long _stride;
    private readonly float* _sums;

    /// <summary>Creates sums of zero.</summary>
    /// <param name="channels">Number of channels; 0 for none.</param>
    public ChannelSums(long channels)
    {
        _channels = (int)channels;
        _stride = (channels + Alignment - 1) / Alignment * Alignment;
        _sums = BufferPool.Rent(Math.Max(1, Blocks * _stride)).Pointer;
        new Span<float>(_sums, (int)(Blocks * _stride)).Clear();
    }

    /// <summary>A row kernel on a range of rows: first row, number of rows, sums to add to.</summary>
    public delegate void Body(long first, long rows, float* sums);

    /// <summary>Runs a kernel over all rows.</summary>
    public void Run(long rows, Body body)
        => CpuTeam.Run(Blocks, block =>
        {
            var first = rows * block / Blocks;
            var count = (rows * (block + 1) / Blocks) - first;
            if (count > 0)
                body(first, count, _sums + (block * _stride));
        });

    /// <summary>Adds the sums to a vector.</summary>
    public void AddTo(float* destination)
    {
        for (var block = 0; block < Blocks; block++)
            CpuKernels.Instance.AddScaled(destination, _sums + (block * _stride), 1, _channels);
    }

    /// <inheritdoc/>
    public void Dispose() => BufferPool.Return(_sums);
}
