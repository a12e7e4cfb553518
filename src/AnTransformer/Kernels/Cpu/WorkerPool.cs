namespace AnTransformer.Kernels.Cpu;

/// <summary>Threads that wait for kernels, where LibTorch has no OpenMP team that could run them.</summary>
internal static class WorkerPool
{
    private static readonly Lock Gate = new();
    private static readonly List<Worker> Workers = [];

    /// <summary>
    /// Runs <paramref name="work"/> on the calling thread and on <paramref name="threads"/> − 1 others at once.
    /// </summary>
    public static void Run(int threads, Action work)
    {
        // A second caller does not wait for the first one's workers: it works alone.
        if (!Gate.TryEnter())
        {
            work();
            return;
        }

        try
        {
            while (Workers.Count < threads - 1)
                Workers.Add(new Worker());
            using var done = new CountdownEvent(threads);
            for (var i = 0; i < threads - 1; i++)
                Workers[i].Start(work, done);
            work();
            done.Signal();
            done.Wait();
        }
        finally
        {
            Gate.Exit();
        }
    }

    private sealed class Worker
    {
        private readonly object _gate = new();
        private Action? _work;
        private CountdownEvent? _done;

        public Worker() => new Thread(Loop) { IsBackground = true, Name = "AnTransformer kernels" }.Start();

        public void Start(Action work, CountdownEvent done)
        {
            lock (_gate)
            {
                (_work, _done) = (work, done);
                Monitor.Pulse(_gate);
            }
        }

        private void Loop()
        {
            while (true)
            {
                Action work;
                lock (_gate)
                {
                    while (_work is null)
                        Monitor.Wait(_gate);
                    (work, _work) = (_work, null);
                }

                work();
                _done!.Signal();
            }
        }
    }
}
