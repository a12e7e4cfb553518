namespace AnTransformer.Studies.Scaling.Laws;

/// <summary>
/// The best learning rate or batch size for N parameters and D tokens: k N^p D^q (DeepSeek 2024; Li et al. 2025, arXiv
/// 2503.04715).
/// </summary>
/// <param name="Scale">k.</param>
/// <param name="ParameterExponent">p.</param>
/// <param name="TokenExponent">q.</param>
public sealed record HyperparameterLaw(double Scale, double ParameterExponent, double TokenExponent)
{
    /// <summary>The predicted best value.</summary>
    /// <param name="parameters">N.</param>
    /// <param name="tokens">D.</param>
    public double At(double parameters, double tokens)
        => Scale * Math.Pow(parameters, ParameterExponent) * Math.Pow(tokens, TokenExponent);
}
