using AnTransformer.Training.Data;
using CsCheck;

namespace AnTransformer.Training.Tests.Data;

public sealed class IndexPermutationTests
{
    [Fact]
    public void EveryIndexOccursOnce()
    {
        for (var count = 1; count <= 300; count++)
            CheckBijection(count, 1, (ulong)count);
        foreach (var count in new[] { 1009, 4096, 4097, 65_535, 65_536, 65_537, 104_729 })
            CheckBijection(count, 7, 3);
        Gen.Select(Gen.Int[1, 20_000], Gen.ULong, Gen.ULong)
            .Sample((count, seed, epoch) => CheckBijection(count, seed, epoch), iter: 100);
    }

    [Fact]
    public void LargeCountsStayInRange() =>
        Gen.Select(Gen.Long[1, long.MaxValue], Gen.ULong, Gen.Double.Unit).Sample((count, seed, place) =>
    {
        var index = (long)(place * (count - 1));
        Assert.InRange(new IndexPermutation(count, seed, 0)[index], 0, count - 1);
    });

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(16)]
    [InlineData(37)]
    public void EveryIndexIsAsLikelyAtEveryPlace(int count)
    {
        // Pearson's chi-square over the seeds for each place; its mean is count - 1, and 5 standard deviations allow for
        // chance.
        const int Seeds = 20_000;
        var seen = new int[count, count];
        for (var seed = 0UL; seed < Seeds; seed++)
        {
            var permutation = new IndexPermutation(count, seed, seed / 3);
            for (var place = 0; place < count; place++)
                seen[place, permutation[place]]++;
        }
        var expected = (double)Seeds / count;
        for (var place = 0; place < count; place++)
        {
            var chiSquare = 0.0;
            for (var index = 0; index < count; index++)
                chiSquare += Math.Pow(seen[place, index] - expected, 2) / expected;
            Assert.True(chiSquare <= count - 1 + (5 * Math.Sqrt(2.0 * count)), $"place {place} of {count}: {chiSquare}");
        }
    }

    [Fact]
    public void NeighboursAreNotNeighboursAnyMoreAndEpochsDiffer()
    {
        const int Count = 10_000;
        var first = new IndexPermutation(Count, 1, 0);
        var second = new IndexPermutation(Count, 1, 1);
        int successors = 0, ascents = 0, same = 0, fixedPoints = 0;
        for (var i = 0; i < Count - 1; i++)
        {
            successors += Math.Abs(first[i + 1] - first[i]) == 1 ? 1 : 0;
            ascents += first[i + 1] > first[i] ? 1 : 0;
            same += first[i] == second[i] ? 1 : 0;
            fixedPoints += first[i] == i ? 1 : 0;
        }
        // A random permutation has 2 neighbours, Count/2 ± 29 ascents, 1 coincidence and 1 fixed point on average.
        Assert.InRange(successors, 0, 12);
        Assert.InRange(ascents, 4850, 5150);
        Assert.InRange(same, 0, 8);
        Assert.InRange(fixedPoints, 0, 8);
    }

    private static void CheckBijection(int count, ulong seed, ulong epoch)
    {
        var permutation = new IndexPermutation(count, seed, epoch);
        var seen = new bool[count];
        for (var i = 0; i < count; i++)
            seen[permutation[i]] = true;
        Assert.DoesNotContain(false, seen);
    }
}
