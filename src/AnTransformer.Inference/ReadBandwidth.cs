using System.Diagnostics;
using System.Runtime.Intrinsics;
using AnTransformer.Inference.Execution;

namespace AnTransformer.Inference;

/// <summary>
/// How fast threads read memory in order and do nothing else: what decoding with few tokens at once cannot exceed.
/// </summary>
public sealed unsafe class ReadBandwidth : IDisposable
{
    private const long BlockBytes = 64 << 10;
    private readonly NativeBuffer _memory;
    private readonly ThreadTeam _team;
    private readonly WorkQueue _work;

    /// <summary>Takes the memory that is read.</summary>
    /// <param name="threads">Threads that read; 0 for one for each processor.</param>
    /// <param name="bytes">How much; more than the caches hold.</param>
    public ReadBandwidth(int threads = 0, long bytes = 256 << 20)
    {
        _memory = new NativeBuffer(Math.Max(BlockBytes, bytes / BlockBytes * BlockBytes));
        _team = new ThreadTeam(threads);
        _work = new WorkQueue(_team.Threads, 1);
        // Pages that were never written would all be one page of zeros.
        for (long i = 0; i < _memory.Bytes; i += sizeof(float))
            _memory.Floats[i / sizeof(float)] = 1;
    }

    /// <summary>Reads the memory once.</summary>
    /// <returns>Bytes per second.</returns>
    public double Measure()
    {
        _work.Reset();
        var clock = Stopwatch.StartNew();
        _team.Run(ReadBlocks);
        return _memory.Bytes / clock.Elapsed.TotalSeconds;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _team.Dispose();
        _memory.Dispose();
    }

    private void ReadBlocks(int thread)
    {
        var helped = 0;
        var sum = 0f;
        for (int part; (part = _work.Take(0, thread, ref helped, (int)(_memory.Bytes / BlockBytes))) >= 0;)
            sum += Sum(_memory.Floats + (part * (BlockBytes / sizeof(float))));
        GC.KeepAlive(sum);
    }

    private static float Sum(float* x)
    {
        Vector512<float> a = default, b = default, c = default, d = default;
        for (var end = x + (BlockBytes / sizeof(float)); x < end; x += 64)
        {
            a += Vector512.Load(x);
            b += Vector512.Load(x + 16);
            c += Vector512.Load(x + 32);
            d += Vector512.Load(x + 48);
        }

        return Vector512.Sum(a + b + c + d);
    }
}
