using System.ComponentModel;

namespace AnTransformer.Training.Configuration;

/// <summary>The <c>model</c> section.</summary>
public sealed class ModelSection
{
    /// <summary>gpt, gpt+, ngpt or angpt.</summary>
    [Description("Architecture: gpt (Llama block), gpt+ (with QK norm), ngpt (all on the hypersphere), angpt (approximately normalized).")]
    [OneOf("gpt", "gpt+", "ngpt", "angpt")]
    public string Architecture { get; set; } = "angpt";

    /// <summary>d.</summary>
    [Description("Model width d; a multiple of num_attention_heads.")]
    [InRange(2, 1 << 20)]
    public int HiddenSize { get; set; } = 256;

    /// <summary>H.</summary>
    [Description("Number of attention heads; the head size hidden_size / num_attention_heads must be even.")]
    [InRange(1, 4096)]
    public int NumAttentionHeads { get; set; } = 4;

    /// <summary>L.</summary>
    [Description("Number of blocks.")]
    [InRange(1, 4096)]
    public int NumHiddenLayers { get; set; } = 6;

    /// <summary>f.</summary>
    [Description("Width of the MLP; null for four times hidden_size.")]
    [InRange(1, 1 << 22)]
    public int? IntermediateSize { get; set; }

    /// <summary>T.</summary>
    [Description("Context in tokens: the length of training sequences.")]
    [InRange(1, 1 << 24)]
    public int MaxPositionEmbeddings { get; set; } = 256;

    /// <summary>Base of the rotary frequencies.</summary>
    [Description("Base of the rotary position frequencies.")]
    [InRange(1, 1e12)]
    public double RopeTheta { get; set; } = 10_000;

    /// <summary>QK norm.</summary>
    [Description("Whether every head's queries and keys are normalized; null for the architecture's own choice (all but gpt).")]
    public bool? QkNorm { get; set; }

    /// <summary>Row constraint.</summary>
    [Description("Where weight vectors are kept after each step: none, bounded (norm at most 1) or exact (norm 1); null for the architecture's own.")]
    [OneOf("none", "bounded", "exact")]
    public string? Constraint { get; set; }

    /// <summary>ε of RMSNorm.</summary>
    [Description("Epsilon inside RMSNorm (gpt, gpt+).")]
    [InRange(1e-12, 1)]
    public double RmsNormEps { get; set; } = 1e-6;

    /// <summary>α init.</summary>
    [Description("Start of the residual updates' share alpha (ngpt, angpt); null for 0.05.")]
    [InRange(1e-6, 1)]
    public double? AlphaInit { get; set; }

    /// <summary>α scale.</summary>
    [Description("Stored start of alpha: the smaller, the faster the optimizer moves it; null for 1/sqrt(hidden_size).")]
    [InRange(1e-6, 1e6)]
    public double? AlphaScale { get; set; }

    /// <summary>s_z init.</summary>
    [Description("Start of the logit scale (ngpt, angpt); null for 1.")]
    [InRange(1e-6, 1e6)]
    public double? LogitScaleInit { get; set; }

    /// <summary>s_z scale.</summary>
    [Description("Stored start of the logit scale; null for 1/sqrt(hidden_size).")]
    [InRange(1e-6, 1e6)]
    public double? LogitScaleScale { get; set; }

    /// <summary>s_qk init.</summary>
    [Description("Start of the query and key scale (ngpt); null for 1.")]
    [InRange(1e-6, 1e6)]
    public double? QkScaleInit { get; set; }

    /// <summary>s_qk scale.</summary>
    [Description("Stored start of the query and key scale (ngpt); null for 1/sqrt(hidden_size).")]
    [InRange(1e-6, 1e6)]
    public double? QkScaleScale { get; set; }

    /// <summary>s_u, s_g init.</summary>
    [Description("Start of the MLP's up and gate scales (ngpt); null for 1.")]
    [InRange(1e-6, 1e6)]
    public double? MlpScaleInit { get; set; }

    /// <summary>s_u, s_g scale.</summary>
    [Description("Stored start of the MLP's up and gate scales (ngpt); null for 1.")]
    [InRange(1e-6, 1e6)]
    public double? MlpScaleScale { get; set; }

    /// <summary>ν_qkv.</summary>
    [Description("Normalization factor of queries, keys and values (angpt): on or, for an ablation, off.")]
    public bool NuQkv { get; set; } = true;

    /// <summary>ν_o.</summary>
    [Description("Normalization factor of the attention output (angpt).")]
    public bool NuO { get; set; } = true;

    /// <summary>ν_ug.</summary>
    [Description("Normalization factor of the MLP's up and gate maps (angpt).")]
    public bool NuUg { get; set; } = true;

    /// <summary>ν_act.</summary>
    [Description("Normalization factor of the gated product (angpt).")]
    public bool NuAct { get; set; } = true;

    /// <summary>ν_down.</summary>
    [Description("Normalization factor of the MLP's down map (angpt).")]
    public bool NuDown { get; set; } = true;

    /// <summary>ν(α).</summary>
    [Description("Normalization factor of residual updates (angpt), the one that matters most.")]
    public bool NuAlpha { get; set; } = true;
}
