namespace AnTransformer.Distributed;

/// <summary>
/// The processes that train one model together, ranks 0 to <see cref="Size"/> − 1. Every rank makes the same calls in
/// the same order; what a call returns has the same bits on all of them.
/// </summary>
public abstract unsafe class ProcessGroup : IDisposable
{
    private const long MostAtOnce = 1 << 30;

    /// <summary>A process alone.</summary>
    public static ProcessGroup Single { get; } = new SingleProcess();

    /// <summary>This process's number; 0 writes and speaks for all.</summary>
    public abstract int Rank { get; }

    /// <summary>Number of processes.</summary>
    public abstract int Size { get; }

    /// <summary>Whether numbers to be summed lie on a CUDA device.</summary>
    public virtual bool SumsOnCuda => false;

    /// <summary>
    /// Begins to replace numbers by their sums over all ranks, while the caller goes on. The sums are made in a binary
    /// tree over the ranks, so that they depend on nothing but the numbers and how many ranks there are.
    /// </summary>
    /// <param name="values">The first one; they must stay where they are until the task has ended.</param>
    /// <param name="count">How many.</param>
    /// <param name="dtype">In what they travel.</param>
    /// <returns>Ends when the sums are there.</returns>
    public abstract Task StartSum(float* values, long count, GradientDtype dtype);

    /// <summary>
    /// Begins to replace the numbers of each rank's part by their sums over all ranks, on that rank alone; elsewhere
    /// they are of no use afterwards. Sums are made as <see cref="StartSum"/> makes them.
    /// </summary>
    /// <param name="values">The buffer; it must stay where it is until the task has ended.</param>
    /// <param name="parts">Each rank's segments of the buffer, in order; no two have a number in common.</param>
    /// <param name="dtype">In what numbers travel.</param>
    /// <returns>Ends when the sums are there.</returns>
    public abstract Task StartReduceScatter(
        float* values, IReadOnlyList<IReadOnlyList<BufferSegment>> parts, GradientDtype dtype);

    /// <summary>Replaces the numbers of each rank's part by those which that rank has.</summary>
    /// <param name="values">The buffer.</param>
    /// <param name="parts">Each rank's segments of the buffer, in order; no two have a number in common.</param>
    public abstract void AllGather(float* values, IReadOnlyList<IReadOnlyList<BufferSegment>> parts);

    /// <summary>What each rank has to say, by rank.</summary>
    /// <param name="mine">This rank's bytes, of any length.</param>
    public abstract IReadOnlyList<byte[]> Gather(byte[] mine);

    /// <summary>Overwrites bytes by those of rank 0.</summary>
    /// <param name="bytes">As many on every rank.</param>
    public abstract void Broadcast(Span<byte> bytes);

    /// <summary>Ends all processes of the group at once; does not return where there are others.</summary>
    /// <param name="exitCode">The job's exit code.</param>
    public virtual void Abort(int exitCode) => Environment.Exit(exitCode);

    /// <summary>Overwrites memory by that of rank 0.</summary>
    /// <param name="data">Its first byte.</param>
    /// <param name="bytes">As many on every rank.</param>
    public void Broadcast(byte* data, long bytes)
    {
        for (long done = 0; done < bytes; done += MostAtOnce)
            Broadcast(new Span<byte>(data + done, (int)Math.Min(MostAtOnce, bytes - done)));
    }

    /// <summary>Rank 0's bytes.</summary>
    /// <param name="mine">Read on rank 0 only.</param>
    public byte[] FromFirst(byte[] mine)
    {
        Span<byte> length = BitConverter.GetBytes(mine.Length);
        Broadcast(length);
        var bytes = Rank == 0 ? mine : new byte[BitConverter.ToInt32(length)];
        Broadcast(bytes);
        return bytes;
    }

    /// <summary>Whether something holds on any rank.</summary>
    /// <param name="mine">Whether it holds here.</param>
    public bool Any(bool mine) => Gather([mine ? (byte)1 : (byte)0]).Any(bytes => bytes[0] != 0);

    /// <summary>Returns when every rank has called it.</summary>
    public void Barrier() => Gather([]);

    /// <inheritdoc/>
    public abstract void Dispose();
}
