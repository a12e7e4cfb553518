using AnTransformer.Training.Benchmarking;

namespace AnTransformer.Training.Tests.Benchmarking;

public sealed class ParallelEstimateTests
{
    private const double Gigabit = 1e9 / 8;
    private static readonly StepCost Cost = new(0.01, 0.1, 0.02, [4_000_000, 2_000_000, 2_000_000, 4_000_000]);

    [Fact]
    public void One_rank_waits_for_nobody()
    {
        var step = new ParallelEstimate(Cost, new Link(Gigabit, 1e-4), 8, 1).Step(1);
        Assert.Equal((0.81, 0.02, 0.0, 0.0), (step.Compute, step.Update, step.Sent, step.Waited));
    }

    /// <summary>2 (n − 1) (α + bytes / n / β) and 2 ⌈log₂ n⌉ (α + bytes / β), the textbook's figures.</summary>
    [Theory]
    [InlineData(Reduction.Ring, 2, 2 * (1e-4 + (0.5 * 0.8)))]
    [InlineData(Reduction.Ring, 8, 2 * 7 * (1e-4 + (0.8 / 8)))]
    [InlineData(Reduction.Tree, 2, 2 * 1 * (1e-4 + 0.8))]
    [InlineData(Reduction.Tree, 8, 2 * 3 * (1e-4 + 0.8))]
    [InlineData(Reduction.Tree, 5, 2 * 3 * (1e-4 + 0.8))]
    public void Sums_take_what_the_model_of_messages_says(Reduction reduction, int ranks, double seconds)
        => Assert.Equal(seconds, new Link(Gigabit, 1e-4).AllReduce(1e8, ranks, reduction), 1e-9);

    /// <summary>Of n numbers each rank sends all but its own part, twice: the lower bound of any all-reduce.</summary>
    [Fact]
    public void Our_sums_send_as_little_as_can_be()
    {
        var link = new Link(Gigabit, 0);
        Assert.Equal(2 * 0.75 * 0.8, link.AllReduce(1e8, 4, Reduction.Direct), 1e-3);
        Assert.Equal(link.AllReduce(1e8, 4, Reduction.Direct), 2 * link.ReduceScatter(1e8, 4, Reduction.Direct), 1e-12);
        // Two ranks of a host share its link with two of another: half of each one's parts goes over.
        Assert.Equal(2 * 2 * 0.5 * 0.8, new Link(Gigabit, 0, 2, 1e12).AllReduce(1e8, 4, Reduction.Direct), 1e-3);
    }

    [Fact]
    public void What_travels_beside_the_backward_pass_is_waited_for_less_and_never_for_less_than_its_end()
    {
        var estimate = new ParallelEstimate(Cost, new Link(10 * Gigabit, 1e-5), 8, 1);
        var (beside, after) = (estimate.Step(2), (estimate with { Overlaps = false }).Step(2));
        Assert.Equal(after.Sent, after.Waited, 1e-12);
        Assert.Equal(beside.Sent, after.Sent, 1e-12);
        Assert.InRange(beside.Waited, 1e-9, 0.6 * after.Waited);
        // The last two parts, the first block's and the embedding's, are complete when the pass has ended.
        var (block, embedding) = (8e6, 16e6);
        Assert.Equal(
            estimate.Link.AllReduce(block, 2, Reduction.Direct) + estimate.Link.AllReduce(embedding, 2, Reduction.Direct),
            beside.Waited, 1e-9);
    }

    [Fact]
    public void Meeting_seldom_and_sharing_the_optimizer_cost_what_they_are_made_of()
    {
        var estimate = new ParallelEstimate(Cost, new Link(Gigabit, 0), 8, 2);
        var seldom = (estimate with { SyncEvery = 32 }).Step(4);
        Assert.Equal(estimate.Link.AllReduce(3 * 48e6, 4, Reduction.Direct) / 32, seldom.Waited, 1e-9);
        var shared = (estimate with { ShardOptimizer = true }).Step(4);
        Assert.Equal(Cost.UpdateSeconds / 4, shared.Update, 1e-12);
        Assert.Equal(estimate.Step(4).Sent, shared.Sent, 1e-3);
        // Sixteen sequences on four ranks: four each, in one pass.
        Assert.Equal(0.41, shared.Compute, 1e-12);
    }
}
