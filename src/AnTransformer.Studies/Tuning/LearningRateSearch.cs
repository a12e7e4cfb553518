namespace AnTransformer.Studies.Tuning;

/// <summary>
/// The search for a learning rate on a geometric grid: the best has the lowest loss; while it is the grid's first or
/// last rate, the grid grows beyond it by its factor.
/// </summary>
/// <param name="Rates">All rates wanted so far, ascending.</param>
/// <param name="Losses">Their losses: null not known yet, infinite for diverged.</param>
/// <param name="Best">
/// Index of the best rate; null while losses are missing, or when all are infinite and the grid may not grow further.
/// </param>
/// <param name="Extensions">How often the grid has grown.</param>
public sealed record LearningRateSearch(
    IReadOnlyList<double> Rates, IReadOnlyList<double?> Losses, int? Best, int Extensions)
{
    /// <summary>Whether all losses are known and the grid grows no more.</summary>
    public bool IsDecided => Losses.All(loss => loss is not null);

    /// <summary>The best rate; null while there is none.</summary>
    public double? BestRate => Best is { } best ? Rates[best] : null;

    /// <summary>Whether there was but one rate, so that nothing was tuned.</summary>
    public bool IsFixed => Rates.Count == 1;

    /// <summary>
    /// Whether the best rate of several is at an edge of the grid, which was not allowed to grow further.
    /// </summary>
    public bool IsAtEdge => !IsFixed && Best is { } best && (best == 0 || best == Rates.Count - 1);

    /// <summary>Searches as far as losses are known.</summary>
    /// <param name="grid">Rates to begin with, ascending.</param>
    /// <param name="factor">Factor by which the grid grows.</param>
    /// <param name="maxExtensions">How often it may grow.</param>
    /// <param name="lossAt">The loss at a rate: null not known yet, infinite for diverged.</param>
    /// <param name="canRun">Whether a rate can be run; the grid ends before one that cannot. Null when all can.</param>
    public static LearningRateSearch Run(
        IReadOnlyList<double> grid, double factor, int maxExtensions, Func<double, double?> lossAt,
        Func<double, bool>? canRun = null)
    {
        var rates = grid.ToList();
        for (var extensions = 0; ; extensions++)
        {
            var losses = rates.ConvertAll(rate => lossAt(rate));
            if (losses.Contains(null))
                return new LearningRateSearch(rates, losses, Best: null, extensions);
            var lowest = losses.Min()!.Value;
            // Of equal losses the lower rate is the safer one. When every rate diverges, the way out is down.
            var best = double.IsFinite(lowest) ? losses.IndexOf(lowest) : 0;
            var isUpper = best == rates.Count - 1 && double.IsFinite(lowest);
            var next = Round(isUpper ? rates[^1] * factor : rates[0] / factor);
            if (extensions == maxExtensions || !(isUpper || best == 0) || canRun?.Invoke(next) == false)
                return new LearningRateSearch(rates, losses, double.IsFinite(lowest) ? best : null, extensions);
            rates.Insert(isUpper ? rates.Count : 0, next);
        }
    }

    /// <summary>Six digits, so that a rate reached by multiplication is the one that a user would write.</summary>
    internal static double Round(double rate)
    {
        var unit = Math.Pow(10, Math.Floor(Math.Log10(rate)) - 5);
        return double.Parse((Math.Round(rate / unit) * unit).ToString("G6"));
    }
}
