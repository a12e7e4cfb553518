namespace AnTransformer.Configuration;

/// <summary>
/// The shape and the normalization of a model: everything needed to build it besides its weights. Written to and read from
/// <c>config.json</c> with Hugging Face's key names.
/// </summary>
public sealed record ModelConfig
{
    /// <summary>The name of the architecture (<c>model_type</c>), for example <c>angpt</c>.</summary>
    public required string Architecture { get; init; }

    /// <summary>V, the number of token ids.</summary>
    public required int VocabSize { get; init; }

    /// <summary>d, the model width.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>H, the number of attention heads; d_h = d/H must be even (rotary positions turn pairs).</summary>
    public required int NumAttentionHeads { get; init; }

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

    /// <summary>The query and key scale s_qk, [d] per block (nGPT).</summary>
    public required ScaleInit QkScale { get; init; }

    /// <summary>The MLP's scales s_u and s_g, [f] per block (nGPT).</summary>
    public required ScaleInit MlpScale { get; init; }

    /// <summary>Which normalization factors apply (anGPT).</summary>
    public FactorSwitches Factors { get; init; } = new();

    /// <summary>d_h = d/H.</summary>
    public int HeadSize => HiddenSize / NumAttentionHeads;

    /// <summary>Checks that a model can be built.</summary>
    /// <param name="place">What the errors name as the source of the values, for example a file.</param>
    /// <exception cref="InvalidInputException">A size is not positive, heads do not divide the width, or the head size is odd.</exception>
    public void Validate(string place)
    {
        RequirePositive(place, "vocab_size", VocabSize);
        RequirePositive(place, "hidden_size", HiddenSize);
        RequirePositive(place, "num_attention_heads", NumAttentionHeads);
        RequirePositive(place, "num_hidden_layers", NumHiddenLayers);
        RequirePositive(place, "intermediate_size", IntermediateSize);
        RequirePositive(place, "max_position_embeddings", MaxPositionEmbeddings);
        RequirePositive(place, "rope_theta", RopeTheta);
        RequirePositive(place, "rms_norm_eps", RmsNormEps);
        foreach (var (name, init) in new[] { ("alpha", Alpha), ("logit_scale", LogitScale), ("qk_scale", QkScale), ("mlp_scale", MlpScale) })
        {
            RequirePositive(place, name + "_init", init.Init);
            RequirePositive(place, name + "_scale", init.Scale);
        }

        if (HiddenSize % NumAttentionHeads != 0)
        {
            throw new InvalidInputException(
                $"{place}: hidden_size {HiddenSize} is not divisible by num_attention_heads {NumAttentionHeads}; "
                + "choose a multiple of the number of heads.");
        }

        if (HeadSize % 2 != 0)
        {
            throw new InvalidInputException(
                $"{place}: the head size hidden_size / num_attention_heads = {HeadSize} is odd, and rotary positions need pairs; "
                + "choose sizes that make it even.");
        }
    }

    private static void RequirePositive(string place, string key, double value)
    {
        if (!(value > 0) || double.IsInfinity(value))
            throw new InvalidInputException($"{place}: {key} must be a positive number, not {value}.");
    }
}
