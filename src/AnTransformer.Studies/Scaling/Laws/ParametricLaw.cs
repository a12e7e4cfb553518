using AnTransformer.Studies.Scaling.Tables;

namespace AnTransformer.Studies.Scaling.Laws;

/// <summary>
/// L(N, D) = E + A / N^α + B / D^β: the loss after training N parameters on D tokens (Hoffmann et al. 2022, arXiv
/// 2203.15556, eq. 2).
/// </summary>
/// <param name="E">Irreducible loss.</param>
/// <param name="A">Scale of the loss due to finitely many parameters.</param>
/// <param name="B">Scale of the loss due to finitely many tokens.</param>
/// <param name="Alpha">Exponent of parameters.</param>
/// <param name="Beta">Exponent of tokens.</param>
public sealed record ParametricLaw(double E, double A, double B, double Alpha, double Beta)
{
    /// <summary>a = β / (α + β) of N_opt ∝ C^a.</summary>
    public double ParameterExponent => Beta / (Alpha + Beta);

    /// <summary>b = α / (α + β) of D_opt ∝ C^b.</summary>
    public double TokenExponent => Alpha / (Alpha + Beta);

    /// <summary>
    /// G = (α A / (β B))^(1 / (α + β)) of N_opt = G (C/6)^a and D_opt = (C/6)^b / G (Hoffmann et al. 2022, eq. 4).
    /// </summary>
    public double AllocationConstant => Math.Exp((Math.Log(Alpha * A) - Math.Log(Beta * B)) / (Alpha + Beta));

    /// <summary>Whether both exponents and scales are positive, without which no size is optimal.</summary>
    public bool HasOptimum => Alpha > 0 && Beta > 0 && A > 0 && B > 0;

    /// <summary>The predicted loss.</summary>
    /// <param name="parameters">N.</param>
    /// <param name="tokens">D.</param>
    public double Loss(double parameters, double tokens)
        => E + (A * Math.Pow(parameters, -Alpha)) + (B * Math.Pow(tokens, -Beta));

    /// <summary>How to spend compute: the N and D of least predicted loss among those with C = κ N D.</summary>
    /// <param name="compute">C in FLOP.</param>
    /// <param name="flopsPerParameterToken">κ.</param>
    /// <returns>The optimum; NaN where the law has none.</returns>
    public Allocation Allocate(double compute, double flopsPerParameterToken = ScalingTable.FlopsPerParameterToken)
    {
        if (!HasOptimum)
            return new Allocation(compute, double.NaN, double.NaN, double.NaN);
        var product = compute / flopsPerParameterToken;
        var parameters = AllocationConstant * Math.Pow(product, ParameterExponent);
        return new Allocation(compute, parameters, product / parameters, Loss(parameters, product / parameters));
    }
}
