namespace AnTransformer.Optimization;

/// <summary>Constants that a configuration gives to whichever rule it names; each rule takes those it has.</summary>
/// <param name="Beta1">Decay of the gradient's mean as the step uses it.</param>
/// <param name="Beta2">Adam: decay of the squared gradient's mean; Lion: decay of the mean that is kept.</param>
/// <param name="Epsilon">Added to the root of the squared gradient's mean.</param>
/// <param name="MatrixRateFactor">
/// Rate of the blocks' matrices as a multiple of the step's, where they have their own.
/// </param>
/// <param name="Momentum">Decay of the momentum of the blocks' matrices, where they have their own.</param>
public sealed record RuleSettings(
    double? Beta1 = null, double? Beta2 = null, double? Epsilon = null, double? MatrixRateFactor = null,
    double? Momentum = null);
