namespace AnTransformer.Configuration;

/// <summary>
/// The fields of a <see cref="ModelConfig"/> that not every architecture has; <c>config.json</c> holds those that its
/// own does.
/// </summary>
[Flags]
public enum ModelFields
{
    /// <summary>None of them.</summary>
    None = 0,

    /// <summary><see cref="ModelConfig.RmsNormEps"/>.</summary>
    RmsNormEps = 1,

    /// <summary><see cref="ModelConfig.Alpha"/>.</summary>
    Alpha = 2,

    /// <summary><see cref="ModelConfig.LogitScale"/>.</summary>
    LogitScale = 4,

    /// <summary><see cref="ModelConfig.QkScale"/>.</summary>
    QkScale = 8,

    /// <summary><see cref="ModelConfig.MlpScale"/>.</summary>
    MlpScale = 16,

    /// <summary><see cref="ModelConfig.Factors"/>.</summary>
    Factors = 32,
}
