namespace AnTransformer.Graphs;

/// <summary>What is applied to the residual stream, [..., d], before the matrices that read it.</summary>
public abstract record InputFunction
{
    private protected InputFunction()
    {
    }
}

/// <summary>Nothing: matrices read the stream itself (anGPT, nGPT).</summary>
public sealed record IdentityFunction : InputFunction;

/// <summary>gain ⊙ x / √(mean(x²) + ε).</summary>
/// <param name="Gain">[d].</param>
/// <param name="Epsilon">ε.</param>
public sealed record RmsNormFunction(double[] Gain, double Epsilon) : InputFunction;

/// <summary>gain ⊙ tanh(slope · x) + bias (DyT, arXiv 2503.10622).</summary>
/// <param name="Slope">α.</param>
/// <param name="Gain">γ, [d].</param>
/// <param name="Bias">β, [d].</param>
public sealed record TanhFunction(double Slope, double[] Gain, double[] Bias) : InputFunction;

/// <summary>gain ⊙ erf(slope · x + shift) + bias (Derf, arXiv 2512.10938).</summary>
/// <param name="Slope">α.</param>
/// <param name="Shift">s.</param>
/// <param name="Gain">γ, [d].</param>
/// <param name="Bias">β, [d].</param>
public sealed record ErfFunction(double Slope, double Shift, double[] Gain, double[] Bias) : InputFunction;
