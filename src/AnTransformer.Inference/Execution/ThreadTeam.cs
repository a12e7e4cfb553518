namespace AnTransformer.Inference.Execution;

/// <summary>
/// Threads that run one program at the same time and meet at barriers. A token's pass has dozens of steps of a few
/// microseconds, so threads that wait spin briefly; between passes they sleep.
/// </summary>
internal sealed class ThreadTeam : IDisposable
{
    /// <summary>More threads than that are never of use.</summary>
    public const int Most = 1024;

    // Tens of microseconds: longer than a step of a small model, shorter than a time slice that someone else could use.
    private const int SpinsBeforeSleep = 2000;
    private readonly object _gate = new();
    private Action<int>? _program;
    private volatile Exception? _failure;
    private volatile bool _disposed;
    private int _sleeping;
    private volatile int _generation;
    private volatile int _running;
    private int _arrived;
    private volatile int _phase;

    /// <summary>Makes the team; its threads start here.</summary>
    /// <param name="threads">How many, the caller's included; 0 for one for each processor.</param>
    public ThreadTeam(int threads)
    {
        Threads = threads > 0 ? threads : Math.Min(Most, Environment.ProcessorCount);
        for (var i = 1; i < Threads; i++)
        {
            var thread = i;
            new Thread(() => Serve(thread)) { IsBackground = true, Name = "AnTransformer inference" }.Start();
        }
    }

    /// <summary>How many threads run a program, the caller's included.</summary>
    public int Threads { get; }

    /// <summary>Runs a program on all threads and returns when all have ended. One caller at a time.</summary>
    /// <param name="program">Receives the thread's number, from 0; 0 is the caller.</param>
    public void Run(Action<int> program)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (Threads == 1)
        {
            program(0);
            return;
        }

        (_program, _failure, _arrived) = (program, null, 0);
        _running = Threads - 1;
        Interlocked.Increment(ref _generation);
        WakeSleepers();
        Attempt(program, 0);
        AwaitEnd();
        if (_failure is { } failure)
            throw new InvalidOperationException("A pass over the model failed.", failure);
    }

    /// <summary>Waits until every thread of the program has come here.</summary>
    public void Barrier()
    {
        if (Threads == 1)
            return;
        var phase = _phase;
        if (Interlocked.Increment(ref _arrived) == Threads)
        {
            _arrived = 0;
            Interlocked.Increment(ref _phase);
            WakeSleepers();
            return;
        }

        for (var spins = 0; spins < SpinsBeforeSleep; spins++)
        {
            if (_phase != phase)
                return;
            Thread.SpinWait(1);
        }

        SleepThrough(phase);
        if (_phase == phase)
            throw new OperationCanceledException("Another thread of the pass has failed.");
    }

    /// <summary>Ends the threads.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        Interlocked.Increment(ref _generation);
        WakeSleepers();
    }

    private void SleepThrough(int phase)
    {
        lock (_gate)
        {
            Interlocked.Increment(ref _sleeping);
            while (_phase == phase && _failure is null)
                Monitor.Wait(_gate);
            Interlocked.Decrement(ref _sleeping);
        }
    }

    /// <summary>
    /// After a change. Both this look for sleepers and a sleeper's look at the number come after a full fence, so that
    /// one of them sees the other.
    /// </summary>
    private void WakeSleepers()
    {
        if (Volatile.Read(ref _sleeping) == 0)
            return;
        lock (_gate)
            Monitor.PulseAll(_gate);
    }

    private void Serve(int thread)
    {
        for (var seen = 0; ; seen++)
        {
            AwaitStart(seen);
            if (_disposed)
                return;
            Attempt(_program!, thread);
            if (Interlocked.Decrement(ref _running) == 0)
                WakeSleepers();
        }
    }

    private void AwaitStart(int seen)
    {
        for (var spins = 0; spins < SpinsBeforeSleep; spins++)
        {
            if (_generation != seen)
                return;
            Thread.SpinWait(1);
        }

        lock (_gate)
        {
            Interlocked.Increment(ref _sleeping);
            while (_generation == seen)
                Monitor.Wait(_gate);
            Interlocked.Decrement(ref _sleeping);
        }
    }

    private void AwaitEnd()
    {
        for (var spins = 0; spins < SpinsBeforeSleep; spins++)
        {
            if (_running == 0)
                return;
            Thread.SpinWait(1);
        }

        lock (_gate)
        {
            Interlocked.Increment(ref _sleeping);
            while (_running > 0)
                Monitor.Wait(_gate);
            Interlocked.Decrement(ref _sleeping);
        }
    }

    private void Attempt(Action<int> program, int thread)
    {
        try
        {
            program(thread);
        }
        catch (Exception e)
        {
            Interlocked.CompareExchange(ref _failure, e, null);
            WakeSleepers();
        }
    }
}
