using AnTransformer.Configuration;

namespace AnTransformer.Architectures;

/// <summary>What a model costs, from its shape alone.</summary>
public static class ModelCost
{
    /// <summary>Number of trainable numbers.</summary>
    /// <param name="config">A valid configuration.</param>
    public static long Parameters(ModelConfig config)
    {
        long d = config.HiddenSize, v = config.VocabSize, layers = config.NumHiddenLayers;
        var (perBlock, outside) = ArchitectureRegistry.Get(config.Architecture).CountScales(config);
        return MatrixParameters(config) + (config.TieWordEmbeddings ? 0 : v * d) + (layers * perBlock) + outside;
    }

    /// <summary>
    /// Numbers in matrices that are multiplied with activations: all but scales, gains and the embedding table, where
    /// that is not the head.
    /// </summary>
    /// <param name="config">A valid configuration.</param>
    public static long MatrixParameters(ModelConfig config)
    {
        long d = config.HiddenSize, f = config.IntermediateSize;
        var attention = (long)config.Attention.ProjectedWidth + config.Attention.QueryWidth;
        return (config.NumHiddenLayers * ((attention * d) + (3 * d * f))) + (config.VocabSize * d);
    }

    /// <summary>
    /// Floating-point operations of matrix products per trained token, forward and backward: 6 per matrix parameter and
    /// 12·L·H·d_h for each key that a token sees: on average T/2 of a full context, with a window of W tokens
    /// W − W²/2T, without a mask T. The head's products of a masked language model run over the predicted tokens only.
    /// </summary>
    /// <param name="config">A valid configuration.</param>
    public static double TrainingFlopsPerToken(ModelConfig config)
    {
        double context = config.MaxPositionEmbeddings;
        var window = Math.Min(context, config.Attention.Span);
        var keys = config.IsCausal ? window - (window * window / (2 * context)) : context;
        var unpredicted = config.Masking is { } masking ? 1 - masking.Probability : 0;
        var matrices = MatrixParameters(config) - (unpredicted * config.VocabSize * config.HiddenSize);
        return (6.0 * matrices) + (12.0 * config.NumHiddenLayers * keys * config.Attention.QueryWidth);
    }

    /// <summary>
    /// Bytes that training takes, estimated: weights and gradients (8 per parameter), the optimizer's state,
    /// activations kept for the backward pass, and logits with their gradient.
    /// </summary>
    /// <param name="config">A valid configuration.</param>
    /// <param name="tokensPerMicroBatch">B·T.</param>
    /// <param name="activationBytes">4 for fp32, 2 for bf16.</param>
    /// <param name="stateBytes">What the optimizer keeps; null for Adam's two moments, 8 per parameter.</param>
    public static double TrainingBytes(
        ModelConfig config, long tokensPerMicroBatch, int activationBytes, double? stateBytes = null)
    {
        double d = config.HiddenSize, f = config.IntermediateSize;
        double attention = config.Attention.ProjectedWidth + config.Attention.QueryWidth;
        var perToken = (config.NumHiddenLayers * ((12 * d) + attention + (4 * f)) * activationBytes)
            + (3.0 * config.VocabSize * 4);
        return (8.0 * Parameters(config)) + (stateBytes ?? (8.0 * Parameters(config)))
            + (perToken * tokensPerMicroBatch);
    }
}
