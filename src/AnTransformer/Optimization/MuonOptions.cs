namespace AnTransformer.Optimization;

/// <summary>Constants of Muon (Jordan et al. 2024), see <see cref="Muon"/>.</summary>
/// <param name="LearningRateFactor">
/// Root-mean-square norm of the change of a matrix's row in a step, as a multiple of the step's learning rate.
/// </param>
/// <param name="Momentum">How much of the running mean of the gradient is kept from step to step.</param>
public sealed record MuonOptions(double LearningRateFactor, double Momentum = 0.95);
