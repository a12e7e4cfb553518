namespace AnTransformer.Training.Configuration;

/// <summary>What a model learns to predict.</summary>
public enum TrainingObjective
{
    /// <summary>The token after each position, from the tokens up to it.</summary>
    Causal,

    /// <summary>The tokens at some positions, from all others (BERT, arXiv 1810.04805).</summary>
    Masked,
}
