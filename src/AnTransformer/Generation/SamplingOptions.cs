namespace AnTransformer.Generation;

/// <summary>How the next token is drawn from the model's distribution.</summary>
/// <param name="Temperature">Logits are divided by it; 0 takes the most probable token always.</param>
/// <param name="TopK">Only this many most probable tokens may be drawn; 0 for all.</param>
/// <param name="TopP">
/// Only the most probable tokens that together reach this probability may be drawn; 1 for all.
/// </param>
/// <param name="Seed">Seed of the draws.</param>
/// <param name="MinP">
/// Only tokens whose probability is at least this share of the most probable one's may be drawn (arXiv 2407.01082); 0
/// for all.
/// </param>
/// <param name="RepetitionPenalty">
/// Positive logits of tokens that the prompt or the text so far has are divided by it, negative ones multiplied (CTRL,
/// arXiv 1909.05858); 1 for none.
/// </param>
public sealed record SamplingOptions(
    double Temperature = 1, int TopK = 0, double TopP = 1, int Seed = 0, double MinP = 0, double RepetitionPenalty = 1)
{
    /// <summary>Checks the ranges.</summary>
    /// <exception cref="InvalidInputException">A value is out of range.</exception>
    public void Validate()
    {
        if (!(Temperature >= 0) || double.IsInfinity(Temperature))
            throw new InvalidInputException($"temperature must be 0 or greater, not {Temperature}.");
        if (TopK < 0)
            throw new InvalidInputException($"top-k must be 0 (all tokens) or greater, not {TopK}.");
        if (!(TopP > 0 && TopP <= 1))
            throw new InvalidInputException($"top-p must lie in (0, 1], not {TopP}.");
        if (!(MinP >= 0 && MinP <= 1))
            throw new InvalidInputException($"min-p must lie in [0, 1], not {MinP}.");
        if (!(RepetitionPenalty > 0) || double.IsInfinity(RepetitionPenalty))
            throw new InvalidInputException(
                $"repetition-penalty must be greater than 0 (1 for none), not {RepetitionPenalty}.");
    }
}
