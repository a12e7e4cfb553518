namespace AnTransformer.Layers;

/// <summary>
/// A value in the forward pass that an observer hears of, in the order of computation. The symbols are those of the
/// paper (arXiv 2505.22014, section 3) as far as it has one.
/// </summary>
public enum Activation
{
    /// <summary>Rows of E, [B, T, d].</summary>
    Embedding,

    /// <summary>What W_q, W_k and W_v are applied to: h, or in GPT RMSNorm(h), [B, T, d].</summary>
    AttentionInput,

    /// <summary>Queries before their normalization, the norm per head, [B, T, H·d_h].</summary>
    Query,

    /// <summary>Keys before their normalization, the norm per head, [B, T, K·d_h].</summary>
    Key,

    /// <summary>Values, the norm per head, [B, T, K·d_h].</summary>
    Value,

    /// <summary>The weighted mean of values, the norm per head, [B, T, H·d_h].</summary>
    AttentionHead,

    /// <summary>The heads concatenated, which is what W_o is applied to, [B, T, H·d_h].</summary>
    Attention,

    /// <summary>ν_o · W_o y, before the residual update, [B, T, d].</summary>
    AttentionOutput,

    /// <summary>The residual stream after attention, [B, T, d].</summary>
    StreamAfterAttention,

    /// <summary>What W_g and W_u are applied to: h, or in GPT RMSNorm(h), [B, T, d].</summary>
    MlpInput,

    /// <summary>g before the activation, [B, T, f].</summary>
    Gate,

    /// <summary>u, [B, T, f].</summary>
    Up,

    /// <summary>ν_act · u ⊙ SiLU(k·g), which is what W_d is applied to, [B, T, f].</summary>
    Gated,

    /// <summary>ν_down · W_d m, before the residual update, [B, T, d].</summary>
    MlpOutput,

    /// <summary>The residual stream after the MLP, [B, T, d].</summary>
    StreamAfterMlp,

    /// <summary>What W_head is applied to: h, or in GPT RMSNorm(h), [B, T, d].</summary>
    HeadInput,

    /// <summary>W_head h, before the logit scale s_z, [T, V].</summary>
    Logits,
}

/// <summary>Names of activations.</summary>
public static class ActivationNames
{
    /// <summary>The name in files: <c>stream_after_mlp</c>.</summary>
    /// <param name="activation">An activation.</param>
    public static string ToName(this Activation activation)
        => string.Concat(activation.ToString().Select((letter, i)
            => char.IsUpper(letter) ? (i == 0 ? "" : "_") + char.ToLowerInvariant(letter) : letter.ToString()));

    /// <summary>The symbol in formulas: <c>h</c>, <c>q</c>, <c>a</c>.</summary>
    /// <param name="activation">An activation.</param>
    public static string ToSymbol(this Activation activation) => activation switch
    {
        Activation.Embedding => "h0",
        Activation.AttentionInput => "x_A",
        Activation.Query => "q",
        Activation.Key => "k",
        Activation.Value => "v",
        Activation.AttentionHead => "y/head",
        Activation.Attention => "y",
        Activation.AttentionOutput => "a",
        Activation.StreamAfterAttention => "h_A",
        Activation.MlpInput => "x_M",
        Activation.Gate => "g",
        Activation.Up => "u",
        Activation.Gated => "m",
        Activation.MlpOutput => "b",
        Activation.StreamAfterMlp => "h_M",
        Activation.HeadInput => "x_H",
        _ => "z",
    };

    /// <summary>Whether the norm is that of each head's part.</summary>
    internal static bool IsPerHead(this Activation activation)
        => activation is Activation.Query or Activation.Key or Activation.Value or Activation.AttentionHead;
}
