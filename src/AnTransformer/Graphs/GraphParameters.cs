using AnTransformer.Configuration;
using AnTransformer.Normalization;

namespace AnTransformer.Graphs;

/// <summary>
/// The parameters of a checkpoint as a definition of an architecture asks for them when it describes its graph: vectors
/// are read, matrices are named.
/// </summary>
/// <param name="config">The model's sizes.</param>
/// <param name="readVector">The values of a one-dimensional tensor, by name and expected length.</param>
public sealed class GraphParameters(ModelConfig config, Func<string, int, double[]> readVector)
{
    /// <summary>The names of the matrices of a block begin with it.</summary>
    /// <param name="layer">From 0.</param>
    public static string Block(int layer) => FormattableString.Invariant($"model.layers.{layer}.");

    /// <summary>E, [V, d].</summary>
    /// <param name="factor">What rows are multiplied by.</param>
    public ScaledMatrix Embedding(double factor = 1)
        => new("model.embed_tokens.weight", config.VocabSize, config.HiddenSize, factor);

    /// <summary>W_head, [V, d]: the embedding's where both are tied.</summary>
    /// <param name="rowScales">s_z, [V], or null.</param>
    public ScaledMatrix Head(double[]? rowScales = null)
        => new(
            config.TieWordEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight", config.VocabSize,
            config.HiddenSize)
        {
            RowScales = rowScales,
        };

    /// <summary>W_q, [H·d_h, d].</summary>
    /// <param name="layer">From 0.</param>
    /// <param name="factor">A constant such as ν_qkv.</param>
    public ScaledMatrix Query(int layer, double factor = 1)
        => new(Block(layer) + "self_attn.q_proj.weight", config.Attention.QueryWidth, config.HiddenSize, factor);

    /// <summary>W_k, [K·d_h, d].</summary>
    /// <param name="layer">From 0.</param>
    /// <param name="factor">A constant such as ν_qkv.</param>
    public ScaledMatrix Key(int layer, double factor = 1)
        => new(Block(layer) + "self_attn.k_proj.weight", config.Attention.KeyValueWidth, config.HiddenSize, factor);

    /// <summary>W_v, [K·d_h, d].</summary>
    /// <param name="layer">From 0.</param>
    /// <param name="factor">A constant such as ν_qkv.</param>
    public ScaledMatrix Value(int layer, double factor = 1)
        => new(Block(layer) + "self_attn.v_proj.weight", config.Attention.KeyValueWidth, config.HiddenSize, factor);

    /// <summary>W_o, [d, H·d_h].</summary>
    /// <param name="layer">From 0.</param>
    /// <param name="factor">A constant such as ν_o.</param>
    public ScaledMatrix Output(int layer, double factor = 1)
        => new(Block(layer) + "self_attn.o_proj.weight", config.HiddenSize, config.Attention.QueryWidth, factor);

    /// <summary>W_g, [f, d].</summary>
    /// <param name="layer">From 0.</param>
    /// <param name="factor">A constant such as ν_ug · √d.</param>
    /// <param name="rowScales">[f], or null.</param>
    public ScaledMatrix Gate(int layer, double factor = 1, double[]? rowScales = null)
        => new(Block(layer) + "mlp.gate_proj.weight", config.IntermediateSize, config.HiddenSize, factor)
        {
            RowScales = rowScales,
        };

    /// <summary>W_u, [f, d].</summary>
    /// <param name="layer">From 0.</param>
    /// <param name="factor">A constant such as ν_ug.</param>
    /// <param name="rowScales">[f], or null.</param>
    public ScaledMatrix Up(int layer, double factor = 1, double[]? rowScales = null)
        => new(Block(layer) + "mlp.up_proj.weight", config.IntermediateSize, config.HiddenSize, factor)
        {
            RowScales = rowScales,
        };

    /// <summary>W_d, [d, f].</summary>
    /// <param name="layer">From 0.</param>
    /// <param name="factor">A constant such as ν_down · ν_act.</param>
    public ScaledMatrix Down(int layer, double factor = 1)
        => new(Block(layer) + "mlp.down_proj.weight", config.HiddenSize, config.IntermediateSize, factor);

    /// <summary>The values of a vector, [n].</summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="length">n.</param>
    public double[] Vector(string name, int length) => readVector(name, length);

    /// <summary>
    /// The values of a scale that is stored as ŝ and used as s = ŝ · s_init / s_scale, [n] (nGPT, section 2.5).
    /// </summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="length">n.</param>
    /// <param name="init">s_init and s_scale.</param>
    public double[] Scale(string name, int length, ScaleInit init)
    {
        var values = readVector(name, length);
        for (var i = 0; i < values.Length; i++)
            values[i] *= init.Init / init.Scale;
        return values;
    }

    /// <summary>RMSNorm with the gain of that name, over d.</summary>
    /// <param name="name">The tensor's name.</param>
    public RmsNormFunction RmsNorm(string name) => new(readVector(name, config.HiddenSize), config.RmsNormEps);

    /// <summary>
    /// RMSNorm of queries and keys where <see cref="ModelConfig.QkNorm"/> says so, and only their positions elsewhere.
    /// </summary>
    /// <param name="layer">From 0.</param>
    public QueryKeyFunction RmsQueryKey(int layer) => config.QkNorm
        ? new RmsQueryKey(
            readVector(Block(layer) + "self_attn.q_norm.weight", config.HeadSize),
            readVector(Block(layer) + "self_attn.k_norm.weight", config.HeadSize),
            config.RmsNormEps)
        : new RotaryOnly();

    /// <summary>
    /// anGPT's interpolation with α of that name: ν(α) ⊙ (h + |α| ⊙ (x − h)) (arXiv 2505.22014, section 3).
    /// </summary>
    /// <param name="name">The tensor's name.</param>
    public Interpolation Interpolation(string name)
    {
        var keep = Scale(name, config.HiddenSize, config.Alpha);
        var share = new double[keep.Length];
        for (var i = 0; i < keep.Length; i++)
        {
            var alpha = Math.Abs(keep[i]);
            var nu = config.Factors.Residual ? NormalizationFactors.OfResidual(alpha) : 1;
            (keep[i], share[i]) = (nu * (1 - alpha), nu * alpha);
        }

        return new Interpolation(keep, share);
    }
}
