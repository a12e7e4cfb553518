namespace AnTransformer.Optimization;

/// <summary>
/// Recognizes a run that is lost: a loss or gradient that is not a number, or a smoothed loss that has risen to a
/// multiple of its lowest value.
/// </summary>
/// <param name="factor">The multiple; 0 to watch for non-numbers only.</param>
/// <param name="snapshot">Averages to continue from.</param>
public sealed class DivergenceMonitor(double factor, DivergenceMonitor.Snapshot snapshot)
{
    private const double Smoothing = 0.05;      // about the last 20 steps
    private const int SettlingSteps = 20;

    /// <summary>The averages so far, for resuming.</summary>
    public Snapshot State { get; private set; } = snapshot;

    /// <summary>Takes in one step.</summary>
    /// <param name="loss">Its loss in nats per token.</param>
    /// <param name="gradientNorm">Its gradient norm.</param>
    /// <returns>Why the run is lost, or null.</returns>
    public string? Observe(double loss, double gradientNorm)
    {
        if (!double.IsFinite(loss))
            return $"the loss is {loss}";
        if (!double.IsFinite(gradientNorm))
            return $"the gradient norm is {gradientNorm}";
        var smoothed = State.Steps == 0 ? loss : State.Smoothed + (Smoothing * (loss - State.Smoothed));
        var lowest = State.Steps == 0 ? loss : Math.Min(State.Lowest, smoothed);
        State = new Snapshot(State.Steps + 1, smoothed, lowest);
        return factor > 0 && State.Steps > SettlingSteps && smoothed > factor * lowest
            ? $"the smoothed loss {smoothed:f3} exceeds {factor:g3} times its lowest value {lowest:f3}"
            : null;
    }

    /// <summary>Averages of the monitor.</summary>
    /// <param name="Steps">Steps observed.</param>
    /// <param name="Smoothed">Exponential average of the loss.</param>
    /// <param name="Lowest">Lowest such average.</param>
    public sealed record Snapshot(long Steps, double Smoothed, double Lowest)
    {
        /// <summary>Before the first step.</summary>
        public static Snapshot Initial { get; } = new(0, 0, 0);
    }
}
