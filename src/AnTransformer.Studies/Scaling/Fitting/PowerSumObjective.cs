namespace AnTransformer.Studies.Scaling.Fitting;

/// <summary>
/// The Huber loss between log-losses and the log of a sum of power laws, log Σ_j exp(k_j − γ_j x_j) (+ exp(e)), in
/// log-sum-exp form (Hoffmann et al. 2022, appendix D.3). Points are [k_1, γ_1, k_2, γ_2, ..., e]; the x_j are
/// logarithms less their mean, so that k_j and γ_j are nearly uncorrelated: what makes the descent take a tenth of the
/// steps without moving the minimum.
/// </summary>
internal sealed class PowerSumObjective
{
    private readonly double[][] _logs;
    private readonly double[] _logLosses;
    private readonly double[] _weights;
    private readonly double _delta;
    private readonly double _totalWeight;
    private readonly bool _hasFloor;

    /// <param name="inputs">For each power law its abscissas, positive.</param>
    /// <param name="losses">Losses, positive.</param>
    /// <param name="delta">δ, where the Huber loss turns from quadratic to linear.</param>
    /// <param name="hasFloor">Whether there is a constant term.</param>
    /// <param name="weights">How often each row counts; null for once.</param>
    public PowerSumObjective(double[][] inputs, double[] losses, double delta, bool hasFloor, double[]? weights = null)
    {
        _logs = Array.ConvertAll(inputs, column => Array.ConvertAll(column, Math.Log));
        Means = Array.ConvertAll(_logs, column => column.Average());
        for (var j = 0; j < _logs.Length; j++)
            _logs[j] = Array.ConvertAll(_logs[j], x => x - Means[j]);
        _logLosses = Array.ConvertAll(losses, Math.Log);
        (_delta, _hasFloor) = (delta, hasFloor);
        _weights = weights ?? [.. Enumerable.Repeat(1.0, losses.Length)];
        _totalWeight = _weights.Sum();
    }

    private PowerSumObjective(PowerSumObjective other, double[] weights)
    {
        (_logs, Means, _logLosses, _delta, _hasFloor) =
            (other._logs, other.Means, other._logLosses, other._delta, other._hasFloor);
        (_weights, _totalWeight) = (weights, weights.Sum());
    }

    /// <summary>Means of the logarithms of the abscissas.</summary>
    public double[] Means { get; }

    /// <summary>Number of parameters.</summary>
    public int Dimension => (2 * _logs.Length) + (_hasFloor ? 1 : 0);

    /// <summary>exp(e), or 0 where it is too small to matter: a descent towards e = −∞ stops somewhere.</summary>
    public static double Floor(double e, double lowestLoss) => Math.Exp(e) < 1e-6 * lowestLoss ? 0 : Math.Exp(e);

    /// <summary>The same rows, counted otherwise.</summary>
    public PowerSumObjective Reweighted(double[] weights) => new(this, weights);

    /// <summary>The sum of Huber losses at a point, as δ (|r| − δ/2) or r²/2.</summary>
    public double HuberSum(ReadOnlySpan<double> point) => Evaluate(point, []) * _delta * _totalWeight;

    /// <summary>
    /// The objective, the mean Huber loss over δ (of the order of the mean absolute residual), and its gradient.
    /// </summary>
    /// <param name="point">Where.</param>
    /// <param name="gradient">Receives the gradient; empty for none.</param>
    public double Evaluate(ReadOnlySpan<double> point, Span<double> gradient)
    {
        gradient.Clear();
        var terms = _logs.Length;
        Span<double> exponents = stackalloc double[terms + 1];
        var sum = 0.0;
        for (var i = 0; i < _logLosses.Length; i++)
        {
            if (_weights[i] == 0)
                continue;
            exponents[terms] = _hasFloor ? point[2 * terms] : double.NegativeInfinity;
            var largest = exponents[terms];
            for (var j = 0; j < terms; j++)
            {
                exponents[j] = point[2 * j] - (point[(2 * j) + 1] * _logs[j][i]);
                largest = Math.Max(largest, exponents[j]);
            }

            var total = 0.0;
            for (var j = 0; j <= terms; j++)
                total += exponents[j] = Math.Exp(exponents[j] - largest);
            var residual = largest + Math.Log(total) - _logLosses[i];
            var size = Math.Abs(residual);
            sum += _weights[i] * (size <= _delta ? 0.5 * size * size / _delta : size - (0.5 * _delta));
            if (gradient.Length == 0)
                continue;
            var slope = _weights[i] * Math.Clamp(residual / _delta, -1, 1) / total;
            for (var j = 0; j < terms; j++)
            {
                gradient[2 * j] += slope * exponents[j];
                gradient[(2 * j) + 1] -= slope * exponents[j] * _logs[j][i];
            }

            if (_hasFloor)
                gradient[2 * terms] += slope * exponents[terms];
        }

        foreach (ref var derivative in gradient)
            derivative /= _totalWeight;
        return sum / _totalWeight;
    }

    /// <summary>Residuals, log prediction less log loss, row by row.</summary>
    public double[] Residuals(double[] point)
    {
        var terms = _logs.Length;
        return [.. Enumerable.Range(0, _logLosses.Length).Select(i => LogSum(i) - _logLosses[i])];

        double LogSum(int i)
        {
            var exponents = Enumerable.Range(0, terms).Select(j => point[2 * j] - (point[(2 * j) + 1] * _logs[j][i]))
                .Concat(_hasFloor ? [point[2 * terms]] : []).ToList();
            var largest = exponents.Max();
            return largest + Math.Log(exponents.Sum(exponent => Math.Exp(exponent - largest)));
        }
    }
}
