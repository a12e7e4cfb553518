namespace AnTransformer.Configuration;

/// <summary>
/// Which normalization factors of anGPT are applied; the paper's ablations switch them off one by one.
/// </summary>
/// <param name="Qkv">ν_qkv (<c>nu_qkv</c>).</param>
/// <param name="Output">ν_o (<c>nu_o</c>).</param>
/// <param name="UpGate">ν_ug (<c>nu_ug</c>).</param>
/// <param name="Activation">ν_act (<c>nu_act</c>); its value stays that of the default σ when ν_ug is off.</param>
/// <param name="Down">ν_down (<c>nu_down</c>).</param>
/// <param name="Residual">ν(α) (<c>nu_alpha</c>).</param>
public sealed record FactorSwitches(
    bool Qkv = true, bool Output = true, bool UpGate = true, bool Activation = true, bool Down = true,
    bool Residual = true);
