namespace AnTransformer.Architectures;

/// <summary>What a parameter does in a model, as far as its learning rate and kind of update depend on it.</summary>
public enum ParameterRole
{
    /// <summary>The token embedding E: rows are looked up, and not multiplied unless it is the head as well.</summary>
    Embedding,

    /// <summary>A matrix of a block: W_q, W_k, W_v, W_o, W_g, W_u, W_d.</summary>
    Hidden,

    /// <summary>W_head.</summary>
    Head,

    /// <summary>A vector: gains, α, s_z and other scales.</summary>
    Scale,
}
