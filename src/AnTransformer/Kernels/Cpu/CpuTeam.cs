using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace AnTransformer.Kernels.Cpu;

/// <summary>
/// Runs a kernel's blocks on several threads: on LibTorch's own OpenMP team where there is one, since a second pool would fight
/// with OpenMP's waiting threads for the cores, else on <see cref="WorkerPool"/>. The number of threads is that of
/// <see cref="set_num_threads"/>.
/// </summary>
internal static unsafe class CpuTeam
{
    private static readonly delegate* unmanaged<delegate* unmanaged<nint, void>, nint, uint, uint, void> Parallel =
        (delegate* unmanaged<delegate* unmanaged<nint, void>, nint, uint, uint, void>)OpenMp.FindParallel();

    [ThreadStatic]
    private static bool t_isInside;

    /// <summary>Threads that work on a parallel region.</summary>
    public static int Threads => get_num_threads();

    /// <summary>Whether kernels run on LibTorch's OpenMP threads.</summary>
    public static bool UsesOpenMp => Parallel != null;

    /// <summary>
    /// Calls <paramref name="body"/> for each block from 0 to <paramref name="blocks"/> − 1, in any order; blocks must not depend on
    /// each other. An exception in a block is thrown here once all threads are done.
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

        var region = new Region(blocks, body);
        if (Parallel != null)
        {
            var handle = GCHandle.Alloc(region);
            Parallel(&Enter, GCHandle.ToIntPtr(handle), (uint)threads, 0);
            handle.Free();
        }
        else
        {
            WorkerPool.Run(threads, region.Work);
        }

        region.Failure?.Throw();
    }

    /// <summary>Splits <paramref name="count"/> items into equal blocks of at least <paramref name="grain"/> and runs them.</summary>
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
    private static void Enter(nint region) => ((Region)GCHandle.FromIntPtr(region).Target!).Work();

    private sealed class Region(int blocks, Action<int> body)
    {
        private int _next;

        public ExceptionDispatchInfo? Failure { get; private set; }

        public void Work()
        {
            t_isInside = true;
            try
            {
                for (int block; (block = Interlocked.Increment(ref _next) - 1) < blocks;)
                    body(block);
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
    }
}
