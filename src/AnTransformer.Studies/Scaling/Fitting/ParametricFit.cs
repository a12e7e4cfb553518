using AnTransformer.Studies.Scaling.Laws;
using AnTransformer.Studies.Scaling.Tables;

namespace AnTransformer.Studies.Scaling.Fitting;

/// <summary>
/// Fits <see cref="ParametricLaw"/> as Hoffmann et al. (2022) do in their approach 3: Huber loss of log-losses from
/// many starts.
/// </summary>
internal sealed class ParametricFit
{
    /// <summary>
    /// Of 4500 starts, those descended from: the best of each of the 25 cells of (α, β), and the best ones of all.
    /// </summary>
    private const int BestOfAll = 15;

    private readonly PowerSumObjective _objective;
    private readonly double _lowestLoss;

    public ParametricFit(IReadOnlyList<ScalingPoint> points, double delta)
    {
        _lowestLoss = points.Min(point => point.Loss);
        _objective = new PowerSumObjective(
            [[.. points.Select(point => point.Parameters)], [.. points.Select(point => point.Tokens)]],
            [.. points.Select(point => point.Loss)],
            delta,
            hasFloor: true);
    }

    /// <summary>Sum of Huber losses of a law, as the objective is published.</summary>
    public double HuberSum(double[] point) => _objective.HuberSum(point);

    /// <summary>log prediction less log loss, row by row.</summary>
    public double[] Residuals(double[] point) => _objective.Residuals(point);

    /// <summary>The best minimum from many starts, and how many of the descents reached it.</summary>
    public (Minimum Best, int Descents, int Agreeing) FromManyStarts(CancellationToken cancellation = default)
    {
        // Descents from all 4500 starts end in a handful of minima: evaluating the objective everywhere and descending
        // from the best start of each region costs a hundredth and has found the same minimum on every table tried.
        var starts = Grid().Select(point => (Point: point, Value: _objective.Evaluate(point, [])))
            .Where(start => double.IsFinite(start.Value)).ToList();
        var chosen = starts.GroupBy(start => (start.Point[1], start.Point[3]))
            .Select(cell => cell.MinBy(start => start.Value))
            .Concat(starts.OrderBy(start => start.Value).Take(BestOfAll)).Select(start => start.Point).Distinct()
            .ToList();
        var minima = new List<Minimum>();
        foreach (var start in chosen)
        {
            cancellation.ThrowIfCancellationRequested();
            minima.Add(DescendFrom(start));
        }

        var best = minima.MinBy(minimum => minimum.Value)!;
        return (best, minima.Count, minima.Count(best.IsReachedBy));
    }

    /// <summary>The minimum below a start.</summary>
    public Minimum DescendFrom(double[] start) => Descent.From(_objective, start);

    /// <summary>The fit to rows counted as the weights say, from a fit of all rows and from points beside it.</summary>
    public Minimum Refit(double[] weights, double[] start)
    {
        var objective = _objective.Reweighted(weights);
        // Beside it: exponents 10 % lower and higher, each at the data's centre, so that the loss there stays.
        double[] factors = [1, 0.9, 1.1];
        var starts = factors.Select(
            factor => new[] { start[0], start[1] * factor, start[2], start[3] / factor, start[4] }).ToList();
        // A vanished E has no gradient: no descent would find it again in a resample that has one.
        if (Math.Exp(start[4]) < 0.01 * _lowestLoss)
            starts.Add([start[0] - Math.Log(2), start[1], start[2] - Math.Log(2), start[3], Math.Log(_lowestLoss / 2)]);
        return starts.ConvertAll(point => Descent.From(objective, point)).MinBy(minimum => minimum.Value)!;
    }

    /// <summary>The law at a point of the objective.</summary>
    public ParametricLaw Law(double[] point) => new(
        PowerSumObjective.Floor(point[4], _lowestLoss),
        Math.Exp(point[0] + (point[1] * _objective.Means[0])),
        Math.Exp(point[2] + (point[3] * _objective.Means[1])),
        point[1],
        point[3]);

    /// <summary>The grid of Hoffmann et al. (2022, appendix D.3), moved to centred logarithms.</summary>
    public IEnumerable<double[]> Grid()
    {
        double[] exponents = [0, 0.5, 1, 1.5, 2], floors = [-1, -0.5, 0, 0.5, 1], scales = [0, 5, 10, 15, 20, 25];
        return from alpha in exponents
               from beta in exponents
               from e in floors
               from a in scales
               from b in scales
               select new[] { a - (alpha * _objective.Means[0]), alpha, b - (beta * _objective.Means[1]), beta, e };
    }
}
