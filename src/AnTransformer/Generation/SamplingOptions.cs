namespace AnTransformer.Generation;

/// <summary>How the next token is drawn from the model's distribution.</summary>
/// <param name="Temperature">Logits are divided by it; 0 takes the most probable token always.</param>
/// <param name="TopK">Only this many most probable tokens may be drawn; 0 for all.</param>
/// <param name="TopP">
/// Only the most probable tokens that together reach this probability may be drawn; 1 for all.
/// </param>
/// <param name="Seed">Seed of the draws.</param>
public sealed record SamplingOptions(double Temperature = 1, int TopK = 0, double TopP = 1, int Seed = 0)
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
    }
}
