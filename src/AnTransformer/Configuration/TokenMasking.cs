namespace AnTransformer.Configuration;

/// <summary>
/// What makes a model a masked language model (BERT, arXiv 1810.04805, section 3.1): it names the tokens at some
/// positions from all others, instead of the token after each position.
/// </summary>
/// <param name="TokenId">
/// The id of <c>&lt;mask&gt;</c>, the vocabulary's last: V − 1. The tokenizer has the ids before it.
/// </param>
/// <param name="Probability">Share of a sequence's positions that are predicted, in (0, 1).</param>
public sealed record TokenMasking(int TokenId, double Probability = TokenMasking.DefaultProbability)
{
    /// <summary>The share that BERT and RoBERTa have.</summary>
    public const double DefaultProbability = 0.15;
}
