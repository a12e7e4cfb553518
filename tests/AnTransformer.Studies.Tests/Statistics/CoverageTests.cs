using AnTransformer.Studies.Statistics;

namespace AnTransformer.Studies.Tests.Statistics;

/// <summary>How often 95 % intervals over a few seeds hold the truth of simulated runs.</summary>
public sealed class CoverageTests(ITestOutputHelper output)
{
    private const int Studies = 3000;

    /// <summary>Three standard errors of the share of 3000 studies are 1.2 %.</summary>
    private const double Lowest = 0.935, Highest = 0.965;

    public static TheoryData<int, double, double> SeedsAndNoise()
    {
        var data = new TheoryData<int, double, double>();
        foreach (var seeds in new[] { 2, 3, 5, 10 })
        {
            data.Add(seeds, 0.03, 0.015);
            data.Add(seeds, 0, 0.03);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(SeedsAndNoise))]
    public void Speed_ups_in_a_run_are_covered(int seeds, double commonNoise, double ownNoise)
    {
        var truth = SpeedUp.InRun(SimulatedRuns.Exact(1), SimulatedRuns.Exact(2.1)).Value;
        Assert.InRange(truth, 1.4, 1.9);
        Assert.InRange(Coverage(truth, runs => SpeedUpInRun(runs, seeds, 2.1), commonNoise, ownNoise), Lowest, Highest);
    }

    [Theory]
    [MemberData(nameof(SeedsAndNoise))]
    public void Speed_ups_around_1_are_covered(int seeds, double commonNoise, double ownNoise)
        => Assert.InRange(Coverage(1, runs => SpeedUpInRun(runs, seeds, 1), commonNoise, ownNoise), Lowest, Highest);

    [Theory]
    [MemberData(nameof(SeedsAndNoise))]
    public void Speed_ups_on_the_annealed_frontier_are_covered(int seeds, double commonNoise, double ownNoise)
    {
        double[] budgets = [524_288, 1_048_576, 2_097_152];
        const double Speed = 1.5;
        // The frontier is linear between budgets while the law is not, which the truth takes in.
        var truth = SpeedUp.OnFrontier(
            budgets[1], SimulatedRuns.FinalLoss(1, budgets[1]), new AnnealedFrontier(budgets, [.. budgets.Select(tokens => SimulatedRuns.FinalLoss(Speed, tokens))])).Value;
        Assert.Equal(Speed, truth, 0.05);
        Assert.InRange(Coverage(truth, Study, commonNoise, ownNoise), Lowest, Highest);

        Interval? Study(SimulatedRuns runs) => Estimate.OfGeometricMean([.. Enumerable.Range(0, seeds).Select(_ =>
        {
            // One run of the reference, and the side's at every budget.
            var noise = runs.Noise(budgets.Length + 1);
            var frontier = new AnnealedFrontier(budgets, [.. budgets.Select((tokens, i) => SimulatedRuns.FinalLoss(Speed, tokens) + noise[i + 1])]);
            return SpeedUp.OnFrontier(budgets[1], SimulatedRuns.FinalLoss(1, budgets[1]) + noise[0], frontier);
        })]).Interval;
    }

    [Theory]
    [MemberData(nameof(SeedsAndNoise))]
    public void Largest_batches_are_covered(int seeds, double commonNoise, double ownNoise)
    {
        double[] batches = [4, 8, 16, 32, 64];
        double[] exact = [.. batches.Select(batch => 4.5 + (0.03 * Math.Pow(Math.Log2(batch / 8), 2)))];
        var truth = Tolerance.Of(batches, exact, 0.01)!.High;
        Assert.InRange(Coverage(truth, Study, commonNoise, ownNoise / 3), 0.92, 0.98);

        Interval? Study(SimulatedRuns runs)
        {
            double[][] noise = [.. Enumerable.Range(0, seeds).Select(_ => runs.Noise(batches.Length))];
            return StudentInterval.OfGeometricMean([.. Tolerance.BySeed(
                batches, [.. batches.Select((_, i) => noise.Select(ofSeed => exact[i] + ofSeed[i]).ToList())], 0.01).Select(tolerance => tolerance.High)]);
        }
    }

    [Theory]
    [MemberData(nameof(SeedsAndNoise))]
    public void Differences_of_losses_are_covered(int seeds, double commonNoise, double ownNoise)
    {
        var truth = SimulatedRuns.Exact(1.2).Final - SimulatedRuns.Exact(1).Final;
        Assert.InRange(Coverage(truth, Study, commonNoise, ownNoise), Lowest, Highest);

        Interval? Study(SimulatedRuns runs)
        {
            var pairs = Enumerable.Range(0, seeds).ToDictionary(seed => (long)seed, _ => runs.Pair(1.2));
            return PairedDifference.Of(
                pairs.ToDictionary(pair => pair.Key, pair => pair.Value.Reference.Final), pairs.ToDictionary(pair => pair.Key, pair => pair.Value.Side.Final))!.Interval;
        }
    }

    [Theory]
    [InlineData(2, 0.45, 0.55)]
    [InlineData(3, 0.6, 0.8)]
    public void These_tests_would_find_percentiles_of_resampled_seeds_too_narrow(int seeds, double low, double high)
    {
        var truth = SpeedUp.InRun(SimulatedRuns.Exact(1), SimulatedRuns.Exact(2.1)).Value;
        Assert.InRange(Coverage(truth, Study, 0.03, 0.015), low, high);

        Interval? Study(SimulatedRuns runs)
        {
            double[] speedUps = [.. SpeedUps(runs, seeds, 2.1).Select(value => Math.Log(value.Value))];
            var random = new Random(1);
            return Interval.OfPercentiles(Enumerable.Range(0, 200).Select(_ => Math.Exp(Enumerable.Range(0, seeds).Average(_ => speedUps[random.Next(seeds)]))));
        }
    }

    private static Interval? SpeedUpInRun(SimulatedRuns runs, int seeds, double speed) => Estimate.OfGeometricMean(SpeedUps(runs, seeds, speed)).Interval;

    private static SeedValue[] SpeedUps(SimulatedRuns runs, int seeds, double speed) => [.. Enumerable.Range(0, seeds).Select(_ =>
    {
        var (reference, side) = runs.Pair(speed);
        return SpeedUp.InRun(reference, side);
    })];

    private double Coverage(double truth, Func<SimulatedRuns, Interval?> study, double commonNoise, double ownNoise)
    {
        var runs = new SimulatedRuns(new Random(20), commonNoise, ownNoise);
        var intervals = Enumerable.Range(0, Studies).Select(_ => study(runs)).ToList();
        // A study without an interval claims nothing; were there many, the rest would be a selection.
        Assert.True(intervals.Count(interval => interval is null) < Studies / 100);
        var coverage = intervals.OfType<Interval>().Average(interval => interval.Low <= truth && truth <= interval.High ? 1.0 : 0.0);
        output.WriteLine($"covered {coverage:p1}");
        return coverage;
    }
}
