namespace AnTransformer.Normalization;

/// <summary>Expectations of functions of a normal variable, by quadrature.</summary>
public static class GaussianExpectation
{
    private const double Cutoff = 12;       // the density beyond 12 σ is below 1e-32
    private const int PanelsPerSide = 192;

    // Five-point Gauss–Legendre rule on [-1, 1], exact for polynomials up to degree 9.
    private static readonly double[] Nodes =
    [
        -Math.Sqrt(5 + (2 * Math.Sqrt(10.0 / 7))) / 3,
        -Math.Sqrt(5 - (2 * Math.Sqrt(10.0 / 7))) / 3,
        0,
        Math.Sqrt(5 - (2 * Math.Sqrt(10.0 / 7))) / 3,
        Math.Sqrt(5 + (2 * Math.Sqrt(10.0 / 7))) / 3,
    ];

    private static readonly double[] Weights =
    [
        (322 - (13 * Math.Sqrt(70))) / 900,
        (322 + (13 * Math.Sqrt(70))) / 900,
        128.0 / 225,
        (322 + (13 * Math.Sqrt(70))) / 900,
        (322 - (13 * Math.Sqrt(70))) / 900,
    ];

    /// <summary>
    /// <c>E[f(σ n)]</c> with <c>n ~ N(0, 1)</c>, to about 1e-13 relative for functions that are smooth but for a kink
    /// at zero, as activations are.
    /// </summary>
    /// <param name="function">The function whose mean is wanted.</param>
    /// <param name="standardDeviation">σ, positive.</param>
    /// <exception cref="ArgumentOutOfRangeException">σ is not a positive number.</exception>
    public static double Of(Func<double, double> function, double standardDeviation)
    {
        if (!(standardDeviation > 0) || double.IsInfinity(standardDeviation))
            throw new ArgumentOutOfRangeException(nameof(standardDeviation), standardDeviation, "σ must be positive.");

        const double width = Cutoff / PanelsPerSide;
        var sum = 0.0;
        for (var panel = -PanelsPerSide; panel < PanelsPerSide; panel++)
        {
            var middle = (panel + 0.5) * width;
            for (var i = 0; i < Nodes.Length; i++)
            {
                var n = middle + (Nodes[i] * width / 2);
                sum += Weights[i] * width / 2 * Math.Exp(-n * n / 2) * function(standardDeviation * n);
            }
        }

        return sum / Math.Sqrt(2 * Math.PI);
    }
}
