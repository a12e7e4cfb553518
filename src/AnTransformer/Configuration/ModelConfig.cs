namespace AnTransformer.Configuration;

/// <summary>
/// The shape and the normalization of a model: everything needed to build it besides its weights. Written to and read
/// from <c>config.json</c> with Hugging Face's key names.
/// </summary>
public sealed record ModelConfig
{
    private const int WidestAttention = 1 << 24;        // three times it fits in 32 bits

    /// <summary>The name of the architecture (<c>model_type</c>), for example <c>angpt</c>.</summary>
    public required string Architecture { get; init; }

    /// <summary>V, the number of token ids.</summary>
    public required int VocabSize { get; init; }

    /// <summary>d, the model width.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>H, the number of attention heads.</summary>
    public required int NumAttentionHeads { get; init; }

    /// <summary>K, the number of heads of keys and values, a divisor of H; null for H.</summary>
    public int? NumKeyValueHeads { get; init; }

    /// <summary>
    /// d_h, the width of a head, even (rotary positions turn pairs); null for d/H, which must be whole then.
    /// </summary>
    public int? HeadDim { get; init; }

    /// <summary>
    /// Whether a token sees no later one; false for the blocks of an encoder, which have no key-value cache.
    /// </summary>
    public bool IsCausal { get; init; } = true;

    /// <summary>
    /// What makes the model a masked language model, whose attention is not causal; null for a causal one.
    /// </summary>
    public TokenMasking? Masking { get; init; }

    /// <summary>How many tokens a token sees, itself included; null for all before it.</summary>
    public int? SlidingWindow { get; init; }

    /// <summary>Whether the head is the embedding matrix, W_head = E: one parameter.</summary>
    public bool TieWordEmbeddings { get; init; }

    /// <summary>L, the number of blocks.</summary>
    public required int NumHiddenLayers { get; init; }

    /// <summary>f, the MLP's width.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>T, the longest context in tokens.</summary>
    public required int MaxPositionEmbeddings { get; init; }

    /// <summary>Base of the rotary frequencies.</summary>
    public double RopeTheta { get; init; } = 10_000;

    /// <summary>Whether queries and keys of every head are normalized.</summary>
    public bool QkNorm { get; init; }

    /// <summary>Where weight vectors are kept after each optimizer step.</summary>
    public RowConstraint Constraint { get; init; }

    /// <summary>ε inside RMSNorm (GPT, GPT+).</summary>
    public double RmsNormEps { get; init; } = 1e-6;

    /// <summary>The residual updates' α, [d] per update (nGPT, anGPT).</summary>
    public required ScaleInit Alpha { get; init; }

    /// <summary>The logit scale s_z, [V] (nGPT, anGPT).</summary>
    public required ScaleInit LogitScale { get; init; }

    /// <summary>The query and key scale s_qk, [K·d_h] per block (nGPT).</summary>
    public required ScaleInit QkScale { get; init; }

    /// <summary>The MLP's scales s_u and s_g, [f] per block (nGPT).</summary>
    public required ScaleInit MlpScale { get; init; }

    /// <summary>Which normalization factors apply (anGPT).</summary>
    public FactorSwitches Factors { get; init; } = new();

    /// <summary>d_h: <see cref="HeadDim"/>, or d/H.</summary>
    public int HeadSize => HeadDim ?? (HiddenSize / NumAttentionHeads);

    /// <summary>The shape of every block's attention.</summary>
    public AttentionShape Attention => new(NumAttentionHeads, NumKeyValueHeads ?? NumAttentionHeads, HeadSize,
        IsCausal, SlidingWindow);

    /// <summary>Checks that a model can be built.</summary>
    /// <param name="place">What the errors name as the source of the values, for example a file.</param>
    /// <exception cref="InvalidInputException">
    /// A size is not positive, heads do not divide the width, key-value heads do not divide the heads, or the head size
    /// is odd.
    /// </exception>
    public void Validate(string place)
    {
        RequirePositive(place, "vocab_size", VocabSize);
        RequirePositive(place, "hidden_size", HiddenSize);
        RequirePositive(place, "num_attention_heads", NumAttentionHeads);
        RequirePositive(place, "num_key_value_heads", NumKeyValueHeads ?? NumAttentionHeads);
        RequirePositive(place, "head_dim", HeadDim ?? 1);
        RequirePositive(place, "sliding_window", SlidingWindow ?? 1);
        RequirePositive(place, "num_hidden_layers", NumHiddenLayers);
        RequirePositive(place, "intermediate_size", IntermediateSize);
        RequirePositive(place, "max_position_embeddings", MaxPositionEmbeddings);
        RequirePositive(place, "rope_theta", RopeTheta);
        RequirePositive(place, "rms_norm_eps", RmsNormEps);
        foreach (var (name, init) in new[] { ("alpha", Alpha), ("logit_scale", LogitScale), ("qk_scale", QkScale),
            ("mlp_scale", MlpScale) })
        {
            RequirePositive(place, name + "_init", init.Init);
            RequirePositive(place, name + "_scale", init.Scale);
        }

        if (HeadDim is null && HiddenSize % NumAttentionHeads != 0)
        {
            throw new InvalidInputException(
                $"{place}: hidden_size {HiddenSize} is not divisible by num_attention_heads {NumAttentionHeads}; "
                + "choose a multiple of the number of heads, or give head_dim.");
        }

        if (HeadSize % 2 != 0)
        {
            throw new InvalidInputException(HeadDim is null
                ? $"{place}: the head size hidden_size / num_attention_heads = {HeadSize} is odd, and rotary "
                    + "positions need pairs; choose sizes that make it even, or give head_dim."
                : $"{place}: head_dim {HeadSize} is odd, and rotary positions need pairs; choose an even number.");
        }

        if ((long)NumAttentionHeads * HeadSize > WidestAttention)
        {
            throw new InvalidInputException(
                $"{place}: num_attention_heads {NumAttentionHeads} times head_dim {HeadSize} exceeds "
                + $"{WidestAttention}; choose smaller ones.");
        }

        if (SlidingWindow is not null && !IsCausal)
        {
            throw new InvalidInputException(
                $"{place}: sliding_window {SlidingWindow} needs causal attention, and is_causal is false; "
                + "leave out one of the two.");
        }

        RequireMasking(place);
        if (NumAttentionHeads % (NumKeyValueHeads ?? NumAttentionHeads) != 0)
        {
            throw new InvalidInputException(
                $"{place}: num_key_value_heads {NumKeyValueHeads} does not divide num_attention_heads "
                + $"{NumAttentionHeads}, and each is shared by equally many heads; choose a divisor.");
        }
    }

    private void RequireMasking(string place)
    {
        if (Masking is not var (tokenId, probability))
            return;
        if (IsCausal)
        {
            throw new InvalidInputException(
                $"{place}: mask_token_id needs attention to both sides, and is_causal is true; set it to false, or "
                    + "leave "
                + "mask_token_id out.");
        }

        if (tokenId != VocabSize - 1 || tokenId == 0)
        {
            throw new InvalidInputException(
                $"{place}: mask_token_id {tokenId} must be the last of at least two ids, vocab_size − 1 = "
                    + $"{VocabSize - 1}, "
                + "after those of the tokenizer.");
        }

        if (!(probability > 0 && probability < 1))
        {
            throw new InvalidInputException(
                $"{place}: mask_probability must lie between 0 and 1, not {probability}.");
        }
    }

    private static void RequirePositive(string place, string key, double value)
    {
        if (!(value > 0) || double.IsInfinity(value))
            throw new InvalidInputException($"{place}: {key} must be a positive number, not {value}.");
    }
}
