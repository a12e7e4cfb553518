using System.ComponentModel;
using AnTransformer.Configuration;

namespace AnTransformer.Training.Configuration;

/// <summary>The <c>model</c> section. A null field takes the default of the architecture.</summary>
public sealed class ModelSection : IValidatable
{
    /// <summary>A name of <see cref="AnTransformer.Architectures.ArchitectureRegistry"/>.</summary>
    [Description("What the blocks look like: gpt (RMSNorm, the Llama block), gpt+ (gpt with normalized queries and "
        + "keys), "
        + "ngpt (everything measured and put on the unit sphere), angpt (approximately normalized by constants), "
        + "sandwich (RMSNorm before and after), dyt and derf (tanh or erf in the place of RMSNorm).")]
    [ArchitectureName]
    public string Architecture { get; set; } = "angpt";

    /// <summary>d.</summary>
    [Description("Width of the model, d; a multiple of num_attention_heads unless head_dim is given.")]
    [InRange(2, 1 << 20)]
    public int HiddenSize { get; set; } = 256;

    /// <summary>H.</summary>
    [Description("Number of attention heads; hidden_size / num_attention_heads must be a whole, even number, "
        + "unless head_dim is given.")]
    [InRange(1, 4096)]
    public int NumAttentionHeads { get; set; } = 4;

    /// <summary>K.</summary>
    [Description("Number of heads of keys and values, each shared by equally many attention heads (grouped-query "
        + "attention); a divisor of num_attention_heads; null for num_attention_heads.")]
    [InRange(1, 4096)]
    public int? NumKeyValueHeads { get; set; }

    /// <summary>d_h.</summary>
    [Description("Width of a head, an even number; null for hidden_size / num_attention_heads.")]
    [InRange(2, 1 << 20)]
    public int? HeadDim { get; set; }

    /// <summary>L.</summary>
    [Description("Number of blocks (attention and MLP), L.")]
    [InRange(1, 4096)]
    public int NumHiddenLayers { get; set; } = 6;

    /// <summary>f.</summary>
    [Description("Width of the MLP; null for four times hidden_size.")]
    [InRange(1, 1 << 22)]
    public int? IntermediateSize { get; set; }

    /// <summary>T.</summary>
    [Description("Longest context in tokens, T; training sequences have this length.")]
    [InRange(1, 1 << 24)]
    public int MaxPositionEmbeddings { get; set; } = 256;

    /// <summary>W.</summary>
    [Description("Number of tokens that a token sees, itself included (sliding-window attention); null for "
        + "all before it.")]
    [InRange(1, 1 << 24)]
    public int? SlidingWindow { get; set; }

    /// <summary>W_head = E.</summary>
    [Description("Whether the head is the embedding matrix, one parameter instead of two.")]
    public bool TieWordEmbeddings { get; set; }

    /// <summary>Base of the rotary frequencies.</summary>
    [Description("Base of the frequencies of the rotary position embedding.")]
    [InRange(1, 1e12)]
    public double RopeTheta { get; set; } = 10_000;

    /// <summary>QK norm.</summary>
    [Description("Whether every head's queries and keys are normalized; null for the architecture's default: false for "
        + "gpt, "
        + "true for the others.")]
    public bool? QkNorm { get; set; }

    /// <summary>Row constraint.</summary>
    [Description("Where weight vectors are kept after each step: bounded (norm at most 1), exact (norm 1) or none "
        + "(free); "
        + "null for the architecture's default: bounded for angpt, exact for ngpt, none for the others.")]
    public RowConstraint? Constraint { get; set; }

    /// <summary>ε of RMSNorm.</summary>
    [Description("Small number added inside RMSNorm so that it never divides by zero (gpt, gpt+).")]
    [InRange(1e-12, 1)]
    public double RmsNormEps { get; set; } = 1e-6;

    /// <summary>α init.</summary>
    [Description("Value at which alpha, the share of each residual update, starts (ngpt, angpt); null for the "
        + "architecture's default.")]
    [InRange(1e-6, 1)]
    public double? AlphaInit { get; set; }

    /// <summary>α scale.</summary>
    [Description("Stored value at which alpha starts; the smaller it is, the faster the optimizer moves alpha; null "
        + "for the "
        + "architecture's default.")]
    [InRange(1e-6, 1e6)]
    public double? AlphaScale { get; set; }

    /// <summary>s_z init.</summary>
    [Description("Value at which the logit scale starts (ngpt, angpt); null for the architecture's default.")]
    [InRange(1e-6, 1e6)]
    public double? LogitScaleInit { get; set; }

    /// <summary>s_z scale.</summary>
    [Description("Stored value at which the logit scale starts, as alpha_scale is for alpha; null for the "
        + "architecture's "
        + "default.")]
    [InRange(1e-6, 1e6)]
    public double? LogitScaleScale { get; set; }

    /// <summary>s_qk init.</summary>
    [Description("Value at which the scale of queries and keys starts (ngpt); null for the architecture's default.")]
    [InRange(1e-6, 1e6)]
    public double? QkScaleInit { get; set; }

    /// <summary>s_qk scale.</summary>
    [Description("Stored value at which the scale of queries and keys starts; null for the architecture's default.")]
    [InRange(1e-6, 1e6)]
    public double? QkScaleScale { get; set; }

    /// <summary>s_u, s_g init.</summary>
    [Description(
        "Value at which the scales of the MLP's up and gate start (ngpt); null for the architecture's default.")]
    [InRange(1e-6, 1e6)]
    public double? MlpScaleInit { get; set; }

    /// <summary>s_u, s_g scale.</summary>
    [Description(
        "Stored value at which the scales of the MLP's up and gate start; null for the architecture's default.")]
    [InRange(1e-6, 1e6)]
    public double? MlpScaleScale { get; set; }

    /// <summary>ν_qkv.</summary>
    [Description("Whether the constant normalization factor of queries, keys and values applies (angpt); false for an "
        + "ablation.")]
    public bool NuQkv { get; set; } = true;

    /// <summary>ν_o.</summary>
    [Description("Whether the factor of the attention output applies (angpt).")]
    public bool NuO { get; set; } = true;

    /// <summary>ν_ug.</summary>
    [Description("Whether the factor of the MLP's up and gate maps applies (angpt).")]
    public bool NuUg { get; set; } = true;

    /// <summary>ν_act.</summary>
    [Description("Whether the factor of the MLP's gated product applies (angpt).")]
    public bool NuAct { get; set; } = true;

    /// <summary>ν_down.</summary>
    [Description("Whether the factor of the MLP's down map applies (angpt).")]
    public bool NuDown { get; set; } = true;

    /// <summary>ν(α).</summary>
    [Description("Whether the factor of the residual updates, the one that matters most, applies (angpt).")]
    public bool NuAlpha { get; set; } = true;

    /// <inheritdoc/>
    public IEnumerable<ConfigurationProblem> Validate()
    {
        if (NumKeyValueHeads is { } keyValueHeads && NumAttentionHeads % keyValueHeads != 0)
        {
            yield return new ConfigurationProblem(
                $"model.num_key_value_heads {keyValueHeads} does not divide model.num_attention_heads "
                + $"{NumAttentionHeads}, and each is shared by equally many heads; choose a divisor",
                "num_key_value_heads",
                "num_attention_heads");
        }

        if (HeadDim is { } headSize)
        {
            if (headSize % 2 != 0)
            {
                yield return new ConfigurationProblem(
                    $"model.head_dim {headSize} is odd, and rotary position embeddings turn pairs; choose an even "
                    + "number",
                    "head_dim");
            }
        }
        else if (HiddenSize % NumAttentionHeads != 0)
        {
            yield return new ConfigurationProblem(
                $"model.hidden_size {HiddenSize} is not divisible by model.num_attention_heads {NumAttentionHeads}; "
                    + "choose a "
                + "multiple of the number of heads, or give model.head_dim",
                "hidden_size",
                "num_attention_heads");
        }
        else if (HiddenSize / NumAttentionHeads % 2 != 0)
        {
            yield return new ConfigurationProblem(
                $"the head size model.hidden_size / model.num_attention_heads = {HiddenSize / NumAttentionHeads} is "
                    + "odd, and "
                + "rotary position embeddings turn pairs; choose sizes that make it even, or give model.head_dim",
                "hidden_size",
                "num_attention_heads");
        }
    }
}
