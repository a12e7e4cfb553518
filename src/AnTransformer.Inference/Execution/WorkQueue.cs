namespace AnTransformer.Inference.Execution;

/// <summary>
/// Who does which part of a step. A thread works through its own run of neighbouring parts first, so that it reads
/// memory in order and finds again what its caches hold; then it helps others with theirs.
/// </summary>
/// <param name="threads">Number of threads.</param>
/// <param name="steps">Most steps of a pass.</param>
internal sealed class WorkQueue(int threads, int steps)
{
    private const int CacheLine = 16;       // of ints, so that counters do not share one
    private readonly int[] _taken = new int[threads * steps * CacheLine];

    /// <summary>Before a pass.</summary>
    public void Reset() => Array.Clear(_taken);

    /// <summary>Takes one of a step's parts.</summary>
    /// <param name="step">Which step of the pass.</param>
    /// <param name="thread">Who asks.</param>
    /// <param name="helped">Whose run is being worked on, counted from one's own; starts at 0.</param>
    /// <param name="parts">Parts of the step.</param>
    /// <returns>A part, or -1 where all are taken.</returns>
    public int Take(int step, int thread, ref int helped, int parts)
    {
        for (; helped < threads; helped++)
        {
            var run = (thread + helped) % threads;
            var first = (int)((long)parts * run / threads);
            var count = (int)((long)parts * (run + 1) / threads) - first;
            ref var taken = ref _taken[((step * threads) + run) * CacheLine];
            if (Volatile.Read(ref taken) >= count)
                continue;
            var next = Interlocked.Increment(ref taken) - 1;
            if (next < count)
                return first + next;
        }

        return -1;
    }
}
