using AnTransformer.Kernels;
using AnTransformer.Kernels.Cpu;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Kernels;

public sealed unsafe class CpuTeamTests
{
    [Fact]
    public void Every_block_runs_once()
    {
        var counts = new int[1000];
        CpuTeam.Run(counts.Length, block => Interlocked.Increment(ref counts[block]));
        Assert.All(counts, count => Assert.Equal(1, count));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 100)]
    [InlineData(1001, 7)]
    public void Items_are_split_without_a_gap(long count, long grain)
    {
        var seen = new int[count];
        CpuTeam.For(count, grain, (first, number) =>
        {
            for (var i = first; i < first + number; i++)
                Interlocked.Increment(ref seen[i]);
        });
        Assert.All(seen, times => Assert.Equal(1, times));
    }

    [Fact]
    public void An_exception_in_a_block_reaches_the_caller_and_the_team_goes_on()
    {
        for (var repetition = 0; repetition < 3; repetition++)
        {
            var error = Assert.Throws<InvalidOperationException>(
                () => CpuTeam.Run(64, block => throw new InvalidOperationException($"block {block}")));
            Assert.StartsWith("block", error.Message, StringComparison.Ordinal);
        }

        Every_block_runs_once();
    }

    [Fact]
    public void A_region_inside_a_region_runs_where_it_is()
    {
        var total = 0;
        CpuTeam.Run(8, _ => CpuTeam.Run(8, _ => Interlocked.Increment(ref total)));
        Assert.Equal(64, total);
    }

    [Fact]
    public void Workers_of_our_own_run_the_work_on_every_thread()
    {
        for (var repetition = 0; repetition < 50; repetition++)
        {
            var (entered, barrier) = (0, new Barrier(3));
            WorkerPool.Run(3, () =>
            {
                Interlocked.Increment(ref entered);
                barrier.SignalAndWait();        // returns only when three threads are here
            });
            Assert.Equal(3, entered);
        }
    }

    [Fact]
    public void LibTorchs_own_threads_are_used_on_Linux()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "other systems use a pool of our own");
        Assert.True(CpuTeam.UsesOpenMp);
    }

    [Fact]
    public void Memory_is_kept_and_given_out_again()
    {
        nint first;
        using (var scratch = BufferPool.Rent(1_234_567))
            first = (nint)scratch.Pointer;
        using (var scratch = BufferPool.Rent(1_234_567))
            Assert.Equal(first, (nint)scratch.Pointer);
        using var scope = NewDisposeScope();
        var tensor = BufferPool.Empty(3, 411_522);      // the same size, rounded
        Assert.Equal(first, TensorMemory.Address(tensor));
        var view = tensor[0];
        tensor.Dispose();
        using (var other = BufferPool.Rent(1_234_567))
            Assert.NotEqual(first, (nint)other.Pointer);        // the view still holds the memory
        view.Dispose();
    }
}
