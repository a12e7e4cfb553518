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
        return MatrixParameters(config) + (v * d) + (layers * perBlock) + outside;
    }

    /// <summary>Numbers in matrices that are multiplied with activations: all but the embedding table, scales and gains.</summary>
    /// <param name="config">A valid configuration.</param>
    public static long MatrixParameters(ModelConfig config)
    {
        long d = config.HiddenSize, f = config.IntermediateSize;
        return (config.NumHiddenLayers * ((4 * d * d) + (3 * d * f))) + (config.VocabSize * d);
    }

    /// <summary>
    /// Floating-point operations of matrix products per trained token, forward and backward: 6 per matrix parameter and
    /// 6·L·T·d for causal attention over a full context.
    /// </summary>
    /// <param name="config">A valid configuration.</param>
    public static double TrainingFlopsPerToken(ModelConfig config)
        => (6.0 * MatrixParameters(config))
            + (6.0 * config.NumHiddenLayers * config.MaxPositionEmbeddings * config.HiddenSize);

    /// <summary>
    /// Bytes that training takes, estimated: weights, gradients and Adam's moments (16 per parameter), activations kept for the
    /// backward pass, and logits with their gradient.
    /// </summary>
    /// <param name="config">A valid configuration.</param>
    /// <param name="tokensPerMicroBatch">B·T.</param>
    /// <param name="activationBytes">4 for fp32, 2 for bf16.</param>
    public static double TrainingBytes(ModelConfig config, long tokensPerMicroBatch, int activationBytes)
    {
        double d = config.HiddenSize, f = config.IntermediateSize;
        var perToken = (config.NumHiddenLayers * ((16 * d) + (4 * f)) * activationBytes) + (3.0 * config.VocabSize * 4);
        return (16.0 * Parameters(config)) + (perToken * tokensPerMicroBatch);
    }
}
