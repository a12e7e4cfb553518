using AnTransformer.Distributed;

namespace AnTransformer.Tests.Distributed;

/// <summary>Ranks that are threads of one process and meet at a barrier, for tests.</summary>
internal sealed unsafe class ThreadTransport(ThreadTransport.Meeting meeting, int rank) : ITransport
{
    public int Rank => rank;

    public int Size => meeting.Size;

    /// <summary>Runs a program on so many ranks and hands on what goes wrong on any.</summary>
    public static void Run(int size, Action<ProcessGroup> program)
    {
        using var meeting = new Meeting(size);
        var failures = new List<Exception>();
        var threads = Enumerable.Range(0, size).Select(rank => new Thread(() =>
        {
            using ProcessGroup group = size == 1
                ? ProcessGroup.Single
                : new TransportGroup(() => new ThreadTransport(meeting, rank));
            try
            {
                program(group);
            }
            catch (Exception e)
            {
                lock (failures)
                    failures.Add(e);
                meeting.Leave();
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        if (failures.Count > 0)
            throw new AggregateException(failures[0].Message, failures);
    }

    public void AllToAll(byte* send, byte* receive, int bytes) => meeting.Exchange(rank, send, pointers =>
    {
        for (var other = 0; other < Size; other++)
            Buffer.MemoryCopy((byte*)pointers[other] + ((long)rank * bytes), receive + ((long)other * bytes), bytes, bytes);
    });

    public void AllGather(byte* send, byte* receive, int bytes) => meeting.Exchange(rank, send, pointers =>
    {
        for (var other = 0; other < Size; other++)
            Buffer.MemoryCopy((byte*)pointers[other], receive + ((long)other * bytes), bytes, bytes);
    });

    public void Broadcast(byte* data, int bytes) => meeting.Exchange(rank, data, pointers =>
    {
        if (rank > 0)
            Buffer.MemoryCopy((byte*)pointers[0], data, bytes, bytes);
    });

    public void Abort(int exitCode) => throw new InvalidOperationException($"aborted with {exitCode}");

    public void AbortIfAsked()
    {
    }

    public void Dispose()
    {
    }

    /// <summary>Where the ranks meet.</summary>
    internal sealed class Meeting(int size) : IDisposable
    {
        private readonly Barrier _barrier = new(size);
        private readonly nint[] _pointers = new nint[size];

        public int Size => size;

        public void Dispose() => _barrier.Dispose();

        public void Leave() => _barrier.RemoveParticipant();

        public void Exchange(int rank, void* memory, Action<nint[]> copy)
        {
            _pointers[rank] = (nint)memory;
            _barrier.SignalAndWait();
            copy(_pointers);
            _barrier.SignalAndWait();
        }
    }
}
