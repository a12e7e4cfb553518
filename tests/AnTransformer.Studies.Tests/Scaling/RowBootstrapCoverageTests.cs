using AnTransformer.Studies.Scaling.Fitting;
using AnTransformer.Studies.Scaling.Laws;
using AnTransformer.Studies.Scaling.Tables;
using MathNet.Numerics.Distributions;

namespace AnTransformer.Studies.Tests.Scaling;

/// <summary>How often the bootstrap's 95 % intervals hold the exponents of laws that simulated runs follow.</summary>
public sealed class RowBootstrapCoverageTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(6, 1)]
    [InlineData(3, 3)]
    [InlineData(6, 6)]
    public void Exponents_of_best_learning_rates_are_covered(int sizes, int lengths)
    {
        var random = new Random(3);
        const int Tables = 300;
        var covered = Enumerable.Range(0, Tables).Count(_ =>
        {
            // With one length for each size, pairs off a line.
            List<ScalingPoint> points = [.. from i in Enumerable.Range(0, sizes)
                                            from j in Enumerable.Range(0, lengths)
                                            let n = 1e6 * Math.Pow(2, i)
                                            let d = 1e8 * Math.Pow(2, lengths == 1 ? 2 * i % 5 : j)
                                            select new ScalingPoint(n, d, 6 * n * d, 3)
                                            {
                                                LearningRate = Math.Pow(n, -0.7) * Math.Pow(d, 0.3) * Math.Exp(Normal.Sample(random, 0, 0.2)),
                                            }];
            var fit = HyperparameterFit.Fit(points, "learning rate", point => point.LearningRate, new ScalingFitOptions(), [], CancellationToken.None)!;
            return fit.IntervalOf(law => law.ParameterExponent) is { Low: <= -0.7, High: >= -0.7 };
        });
        output.WriteLine($"{sizes * lengths} rows: {covered / (double)Tables:p1}");
        Assert.InRange(covered / (double)Tables, 0.88, 0.99);
    }

    /// <summary>Takes minutes; run it with <c>-explicit only</c> when the fit or the bootstrap changes.</summary>
    [Theory(Explicit = true)]
    [InlineData(3, 3)]
    [InlineData(4, 4)]
    [InlineData(6, 6)]
    [InlineData(10, 10)]
    public void Exponents_of_the_loss_are_covered(int sizes, int lengths)
    {
        var random = new Random(3);
        var truth = new ParametricLaw(1.8, 480, 2100, 0.35, 0.37);
        const int Tables = 100;
        var (alpha, floor, told) = (0, 0, 0);
        for (var table = 0; table < Tables; table++)
        {
            List<ScalingPoint> points = [.. from i in Enumerable.Range(0, sizes)
                                            from j in Enumerable.Range(0, lengths)
                                            let n = 5e7 * Math.Pow(100, i / (sizes - 1.0))
                                            let d = 1e9 * Math.Pow(100, j / (lengths - 1.0))
                                            select new ScalingPoint(n, d, 6 * n * d, truth.Loss(n, d) * Math.Exp(Normal.Sample(random, 0, 0.003)))];
            var fit = ScalingFit.Run(new ScalingTable("simulated", points, []), cancellation: TestContext.Current.CancellationToken).Groups[0].Parametric!.Fit;
            if (fit.IntervalOf(law => law.Alpha) is not { } interval)
                continue;
            told++;
            alpha += interval.Low <= truth.Alpha && truth.Alpha <= interval.High ? 1 : 0;
            floor += fit.IntervalOf(law => law.E) is { } e && e.Low <= truth.E && truth.E <= e.High ? 1 : 0;
        }

        output.WriteLine($"{sizes * lengths} rows, {told} of {Tables} tables with intervals: α {alpha / (double)told:p1}, E {floor / (double)told:p1}");
        Assert.InRange(alpha / (double)told, sizes < 6 ? 0.5 : 0.88, 0.99);
    }
}
