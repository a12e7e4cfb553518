using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace AnTransformer.Kernels;

/// <summary>
/// Memory of fp32 CPU tensors and scratch that is kept when it is given back. A training step asks for the same sizes
/// in the same order each time; with the C library's allocator it would map, fault in, zero and unmap hundreds of
/// megabytes a step.
/// </summary>
internal static unsafe partial class BufferPool
{
    private const int HugePage = 2 << 20;
    private const int AdviseHugePage = 14;
    private const long LongestIdle = 100_000;
    private static readonly Lock Gate = new();
    private static readonly Dictionary<long, Stack<Block>> Free = [];
    private static readonly Dictionary<nint, long> Sizes = [];
    private static long s_rentals;

    /// <summary>Bytes taken from the system: in use and kept.</summary>
    public static long ReservedBytes { get; private set; }

    /// <summary>A contiguous fp32 CPU tensor with undefined content.</summary>
    /// <param name="shape">Its shape.</param>
    public static Tensor Empty(params ReadOnlySpan<long> shape)
    {
        var count = 1L;
        foreach (var size in shape)
            count *= size;
        var memory = Take(count);
        try
        {
            return TensorMemory.Wrap(memory, &GiveBack, shape);
        }
        catch
        {
            Return(memory);
            throw;
        }
    }

    /// <summary>Scratch memory of undefined content, 64-byte aligned, until disposed.</summary>
    /// <param name="count">Number of floats.</param>
    public static Scratch Rent(long count) => new((float*)Take(count));

    /// <summary>Gives rented memory back.</summary>
    /// <param name="memory">What <see cref="Rent"/> gave.</param>
    public static void Return(float* memory) => Return((nint)memory);

    /// <summary>Returns all memory that is not in use to the system.</summary>
    public static void Trim()
    {
        lock (Gate)
            Release(olderThan: long.MaxValue);
    }

    private static nint Take(long count)
    {
        var bytes = Round(count * sizeof(float));
        lock (Gate)
        {
            s_rentals++;
            if (Free.TryGetValue(bytes, out var blocks) && blocks.TryPop(out var block))
                return block.Address;
            Release(olderThan: s_rentals - LongestIdle);
        }

        nint memory;
        try
        {
            memory = Allocate(bytes);
        }
        catch (OutOfMemoryException)
        {
            Trim();
            memory = Allocate(bytes);
        }

        lock (Gate)
        {
            Sizes[memory] = bytes;
            ReservedBytes += bytes;
        }

        return memory;
    }

    private static nint Allocate(long bytes)
    {
        var alignment = bytes >= HugePage ? HugePage : 64;
        var memory = (nint)NativeMemory.AlignedAlloc((nuint)bytes, (nuint)alignment);
        if (bytes >= HugePage && OperatingSystem.IsLinux())
            _ = madvise(memory, (nuint)bytes, AdviseHugePage);      // a hint: what it returns does not matter
        return memory;
    }

    /// <summary>Few sizes, so that a block fits many requests; at most an eighth is wasted.</summary>
    private static long Round(long bytes)
    {
        if (bytes <= 4096)
            return 4096;
        var step = Math.Max(4096, (long)System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)bytes) / 16);
        return (bytes + step - 1) / step * step;
    }

    private static void Release(long olderThan)
    {
        foreach (var (_, blocks) in Free)
        {
            if (!blocks.Any(block => block.LastUsed < olderThan))
                continue;
            var kept = blocks.Where(block => block.LastUsed >= olderThan).Reverse().ToList();
            foreach (var block in blocks.Where(block => block.LastUsed < olderThan))
            {
                ReservedBytes -= Sizes[block.Address];
                Sizes.Remove(block.Address);
                NativeMemory.AlignedFree((void*)block.Address);
            }

            blocks.Clear();
            kept.ForEach(blocks.Push);
        }
    }

    [UnmanagedCallersOnly]
    private static void GiveBack(nint memory) => Return(memory);

    private static void Return(nint memory)
    {
        lock (Gate)
        {
            var bytes = Sizes[memory];
            if (!Free.TryGetValue(bytes, out var blocks))
                Free[bytes] = blocks = new Stack<Block>();
            blocks.Push(new Block(memory, s_rentals));
        }
    }

    [LibraryImport("libc")]
    private static partial int madvise(nint address, nuint length, int advice);

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Block(nint Address, long LastUsed);

    /// <summary>Rented memory.</summary>
    public readonly ref struct Scratch(float* pointer)
    {
        /// <summary>The first float.</summary>
        public float* Pointer { get; } = pointer;

        /// <summary>Gives the memory back.</summary>
        public void Dispose() => BufferPool.Return(Pointer);
    }
}
