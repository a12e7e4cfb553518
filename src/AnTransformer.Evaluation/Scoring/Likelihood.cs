namespace AnTransformer.Evaluation.Scoring;

/// <summary>How likely a continuation is.</summary>
/// <param name="LogLikelihood">Natural log-likelihood, summed over its tokens.</param>
/// <param name="IsGreedy">Whether each of its tokens is the model's first choice.</param>
internal readonly record struct Likelihood(double LogLikelihood, bool IsGreedy);
