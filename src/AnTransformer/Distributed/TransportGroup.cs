using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace AnTransformer.Distributed;

/// <summary>
/// A group over a transport, whose calls one thread makes in order, so that sums go on beside the backward pass. A sum
/// is cut into a part for each rank: every rank gets its part of everybody's numbers, adds them, and gives the result
/// to all, as a reduce-scatter and an all-gather do, in an order of additions that is ours and not the library's.
/// </summary>
internal sealed unsafe class TransportGroup : ProcessGroup
{
    private const int BlockElements = 4 << 20;      // of one exchange: 16 MB
    private const int Alignment = 16;
    private const int InlineBytes = 56;             // of a gathered word, so that short ones need one exchange
    private static readonly TimeSpan AbortPatience = TimeSpan.FromSeconds(3);
    private readonly BlockingCollection<Action> _calls = [];
    private readonly Thread _thread;
    private readonly ITransport _transport;
    private byte* _sent;
    private byte* _received;
    private nuint _bytes;
    private bool _disposed;

    /// <summary>Starts the thread and makes the transport on it.</summary>
    /// <param name="create">Makes the transport.</param>
    public TransportGroup(Func<ITransport> create)
    {
        var made = new TaskCompletionSource<ITransport>();
        _thread = new Thread(() => Serve(create, made)) { IsBackground = true, Name = "AnTransformer communication" };
        _thread.Start();
        _transport = made.Task.GetAwaiter().GetResult();
        (Rank, Size) = (_transport.Rank, _transport.Size);
    }

    /// <inheritdoc/>
    public override int Rank { get; }

    /// <inheritdoc/>
    public override int Size { get; }

    /// <inheritdoc/>
    public override Task StartSum(float* values, long count, GradientDtype dtype)
    {
        var address = (nint)values;
        return Start(() =>
        {
            for (long done = 0; done < count; done += BlockElements)
                Sum((float*)address + done, (int)Math.Min(BlockElements, count - done), dtype);
        });
    }

    /// <inheritdoc/>
    public override Task StartReduceScatter(
        float* values, IReadOnlyList<IReadOnlyList<BufferSegment>> parts, GradientDtype dtype)
    {
        var address = (nint)values;
        return Start(() => ReduceScatter((float*)address, parts, dtype));
    }

    /// <inheritdoc/>
    public override void AllGather(float* values, IReadOnlyList<IReadOnlyList<BufferSegment>> parts)
    {
        var address = (nint)values;
        Wait(Start(() => Distribute((float*)address, parts)));
    }

    /// <inheritdoc/>
    public override IReadOnlyList<byte[]> Gather(byte[] mine)
    {
        IReadOnlyList<byte[]> result = [];
        Wait(Start(() =>
        {
            var head = new byte[sizeof(long) + InlineBytes];
            BitConverter.TryWriteBytes(head, (long)mine.Length);
            mine.AsSpan(0, Math.Min(mine.Length, InlineBytes)).CopyTo(head.AsSpan(sizeof(long)));
            var heads = Exchange(head, head.Length);
            var lengths = heads.ConvertAll(bytes => (int)BitConverter.ToInt64(bytes));
            var longest = lengths.Max();
            var all = heads.ConvertAll(bytes => bytes[sizeof(long)..]);
            if (longest > InlineBytes)
            {
                Array.Resize(ref mine, longest);
                all = Exchange(mine, longest);
            }

            result = [.. all.Select((bytes, rank) => bytes[..lengths[rank]])];
        }));
        return result;
    }

    /// <inheritdoc/>
    public override void Broadcast(Span<byte> bytes)
    {
        fixed (byte* first = bytes)
        {
            var (address, length) = ((nint)first, bytes.Length);
            Wait(Start(() =>
            {
                if (length > 0)
                    _transport.Broadcast((byte*)address, length);
            }));
        }
    }

    /// <inheritdoc/>
    public override void Abort(int exitCode)
    {
        _transport.Abort(exitCode);
        // The thread that makes all calls makes this one, too: it is in one that looks for it, or free for another.
        if (!_disposed && Thread.CurrentThread != _thread)
            Start(_transport.AbortIfAsked).Wait(AbortPatience);
        base.Abort(exitCode);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        _calls.CompleteAdding();
        _thread.Join();
        _calls.Dispose();
    }

    private static void Wait(Task task) => task.GetAwaiter().GetResult();

    private Task Start(Action call)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _calls.Add(() =>
        {
            try
            {
                call();
                done.SetResult();
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        });
        return done.Task;
    }

    private void Serve(Func<ITransport> create, TaskCompletionSource<ITransport> made)
    {
        ITransport transport;
        try
        {
            transport = create();
        }
        catch (Exception e)
        {
            made.SetException(e);
            return;
        }

        made.SetResult(transport);
        foreach (var call in _calls.GetConsumingEnumerable())
            call();
        transport.Dispose();
        NativeMemory.Free(_sent);
        NativeMemory.Free(_received);
    }

    private List<byte[]> Exchange(byte[] mine, int bytes)
    {
        var all = new byte[Size * bytes];
        fixed (byte* send = mine, receive = all)
            _transport.AllGather(send, receive, bytes);
        return [.. all.Chunk(bytes)];
    }

    private void Sum(float* values, int count, GradientDtype dtype)
    {
        var part = ((count + Size - 1) / Size + Alignment - 1) / Alignment * Alignment;
        var size = dtype == GradientDtype.Fp32 ? sizeof(float) : sizeof(ushort);
        Reserve((nuint)part * (nuint)Size * sizeof(float));
        Pack(values, count, part * Size, _sent, dtype);
        _transport.AllToAll(_sent, _received, part * size);
        var sums = SumOfReceived(part, dtype);
        Pack(sums, part, part, (byte*)sums, dtype);
        _transport.AllGather(_sent, _received, part * size);
        Unpack(_received, count, values, dtype);
    }

    /// <summary>The numbers of all ranks side by side, then their sum in the first place.</summary>
    private float* SumOfReceived(int count, GradientDtype dtype)
    {
        var sums = (float*)_sent;
        Unpack(_received, count * Size, sums, dtype);
        for (var step = 1; step < Size; step *= 2)
        {
            for (var rank = 0; rank + step < Size; rank += 2 * step)
                Add(sums + ((long)rank * count), sums + ((long)(rank + step) * count), count);
        }

        return sums;
    }

    private void ReduceScatter(
        float* values, IReadOnlyList<IReadOnlyList<BufferSegment>> parts, GradientDtype dtype)
    {
        var size = dtype == GradientDtype.Fp32 ? sizeof(float) : sizeof(ushort);
        foreach (var (at, count) in Exchanges(parts))
        {
            Reserve((nuint)count * (nuint)Size * sizeof(float));
            for (var rank = 0; rank < Size; rank++)
                PackStretch(values, parts[rank], at, count, _sent + ((long)rank * count * size), dtype);
            _transport.AllToAll(_sent, _received, count * size);
            var sums = SumOfReceived(count, dtype);
            foreach (var segment in BufferSegment.Stretch(parts[Rank], at, count))
            {
                Unpack((byte*)sums, (int)segment.Count, values + segment.First, GradientDtype.Fp32);
                sums += segment.Count;
            }
        }
    }

    private void Distribute(float* values, IReadOnlyList<IReadOnlyList<BufferSegment>> parts)
    {
        foreach (var (at, count) in Exchanges(parts))
        {
            Reserve((nuint)count * (nuint)Size * sizeof(float));
            PackStretch(values, parts[Rank], at, count, _sent, GradientDtype.Fp32);
            _transport.AllGather(_sent, _received, count * sizeof(float));
            for (var rank = 0; rank < Size; rank++)
            {
                var source = (float*)_received + ((long)rank * count);
                foreach (var segment in BufferSegment.Stretch(parts[rank], at, count))
                {
                    Unpack((byte*)source, (int)segment.Count, values + segment.First, GradientDtype.Fp32);
                    source += segment.Count;
                }
            }
        }
    }

    /// <summary>Cuts parts, of which the longest counts, so that an exchange stays within its memory.</summary>
    private IEnumerable<(long At, int Count)> Exchanges(IReadOnlyList<IReadOnlyList<BufferSegment>> parts)
    {
        var longest = parts.Max(part => part.Sum(segment => segment.Count));
        var most = BlockElements / Size;
        for (long at = 0; at < longest; at += most)
            yield return (at, (int)Math.Min(most, longest - at));
    }

    /// <summary>Part of a rank's segments as they travel, zeros behind the last one.</summary>
    private static void PackStretch(
        float* values, IReadOnlyList<BufferSegment> segments, long at, int count, byte* target, GradientDtype dtype)
    {
        var size = dtype == GradientDtype.Fp32 ? sizeof(float) : sizeof(ushort);
        var left = count;
        foreach (var segment in BufferSegment.Stretch(segments, at, count))
        {
            Pack(values + segment.First, (int)segment.Count, (int)segment.Count, target, dtype);
            target += segment.Count * size;
            left -= (int)segment.Count;
        }

        new Span<byte>(target, left * size).Clear();
    }

    private void Reserve(nuint bytes)
    {
        if (bytes <= _bytes)
            return;
        _sent = (byte*)NativeMemory.Realloc(_sent, bytes);
        _received = (byte*)NativeMemory.Realloc(_received, bytes);
        _bytes = bytes;
    }

    /// <summary>Numbers as they travel, zeros behind them.</summary>
    private static void Pack(float* values, int count, int padded, byte* target, GradientDtype dtype)
    {
        if (dtype == GradientDtype.Fp32)
        {
            var floats = new Span<float>(target, padded);
            if (values != (float*)target)
                new ReadOnlySpan<float>(values, count).CopyTo(floats);
            floats[count..].Clear();
            return;
        }

        // In place this goes upward, and never writes what is still to be read.
        var halves = (ushort*)target;
        for (var i = 0; i < count; i++)
            halves[i] = BrainFloat.Round(values[i]);
        new Span<ushort>(halves, padded)[count..].Clear();
    }

    private static void Unpack(byte* source, int count, float* values, GradientDtype dtype)
    {
        if (dtype == GradientDtype.Fp32)
        {
            new ReadOnlySpan<float>(source, count).CopyTo(new Span<float>(values, count));
            return;
        }

        var halves = (ushort*)source;
        for (var i = 0; i < count; i++)
            values[i] = BrainFloat.Widen(halves[i]);
    }

    private static void Add(float* sum, float* other, int count)
    {
        var width = System.Numerics.Vector<float>.Count;
        var i = 0;
        for (; i + width <= count; i += width)
        {
            var added = System.Numerics.Vector.Load(sum + i) + System.Numerics.Vector.Load(other + i);
            System.Numerics.Vector.Store(added, sum + i);
        }

        for (; i < count; i++)
            sum[i] += other[i];
    }
}
