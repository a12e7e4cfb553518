using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace AnTransformer.Kernels.Cpu;

/// <summary>
/// Runs a kernel's blocks on several threads: on LibTorch's own OpenMP team where there is one, since a second pool
/// would fight with OpenMP's waiting threads for the cores, else on <see cref="WorkerPool"/>. The number of threads is
/// that of <see cref="set_num_threads"/>.
/// </summary>
internal static unsafe class CpuTeam
{
    private static readonly delegate* unmanaged<delegate* unmanaged<nint, void>, nint, uint, uint, void> Parallel =
        (delegate* unmanaged<delegate* unmanaged<nint, void>, nint, uint, uint, void>)OpenMp.FindParallel();

    private static readonly delegate* unmanaged<int> ThreadNumber = (delegate* unmanaged<int>)OpenMp.FindThreadNumber();

    [ThreadStatic]
    private static bool t_isInside;

    /// <summary>Threads that work on a parallel region.</summary>
    public static int Threads => get_num_threads();

    /// <summary>Whether kernels run on LibTorch's OpenMP threads.</summary>
    public static bool UsesOpenMp => Parallel != null;

    /// <summary>
    /// Calls <paramref name="body"/> for each block from 0 to <paramref name="blocks"/> − 1, in any order; blocks must
    /// not depend on each other. An exception in a block is thrown here once all threads are done.
    /// </summary>
    public static void Run(int blocks, Action<int> body)
    {
        var threads = Math.Min(blocks, t_isInside ? 1 : Threads);
        if (threads <= 1)
        {
            for (var block = 0; block < blocks; block++)
                body(block);
            return;
        }

        var region = new Region(blocks, threads, body);
        if (Parallel != null)
        {
            var handle = GCHandle.Alloc(region);
            Parallel(&Enter, GCHandle.ToIntPtr(handle), (uint)threads, 0);
            handle.Free();
        }
        else
        {
            WorkerPool.Run(threads, region.WorkAsNext);
        }

        region.Failure?.Throw();
    }

    /// <summary>
    /// Splits <paramref name="count"/> items into equal blocks of at least <paramref name="grain"/> and runs them.
    /// </summary>
    /// <param name="count">Number of items.</param>
    /// <param name="grain">Items that are worth a thread.</param>
    /// <param name="body">Receives the first item and the number of items.</param>
    public static void For(long count, long grain, Action<long, long> body)
    {
        // A few blocks a thread, so that one that is held up does not hold up all.
        var blocks = (int)Math.Clamp(count / Math.Max(1, grain), 1, 8 * (long)Threads);
        Run(blocks, block =>
        {
            var first = count * block / blocks;
            body(first, (count * (block + 1) / blocks) - first);
        });
    }

    [UnmanagedCallersOnly]
    private static void Enter(nint region) => ((Region)GCHandle.FromIntPtr(region).Target!).Work(ThreadNumber());

    /// <summary>
    /// Blocks in as many runs as there are threads. A thread does its own run first: from one kernel to the next it
    /// then works on the same rows, which its caches still hold; cores need not share a cache. Then it helps others
    /// with theirs.
    /// </summary>
    private sealed class Region(int blocks, int threads, Action<int> body)
    {
        private const int CacheLine = 16;       // of ints, so that counters do not share one
        private readonly int[] _done = new int[threads * CacheLine];
        private int _entered;

        public ExceptionDispatchInfo? Failure { get; private set; }

        public void Work(int thread)
        {
            t_isInside = true;
            try
            {
                for (var i = 0; i < threads; i++)
                    WorkOn((thread + i) % threads);
            }
            catch (Exception e)
            {
                // Must not reach the native frames below: that would end the process.
                Failure = ExceptionDispatchInfo.Capture(e);
            }
            finally
            {
                t_isInside = false;
            }
        }

        /// <summary>For threads that have no number.</summary>
        public void WorkAsNext() => Work(Interlocked.Increment(ref _entered) - 1);

        private void WorkOn(int run)
        {
            var first = (int)((long)blocks * run / threads);
            var count = (int)((long)blocks * (run + 1) / threads) - first;
            for (int next; (next = Interlocked.Increment(ref _done[run * CacheLine]) - 1) < count;)
                body(first + next);
        }
    }
}
