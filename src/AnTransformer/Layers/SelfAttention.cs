using AnTransformer.Configuration;
using AnTransformer.Operators;
using static TorchSharp.torch;

namespace AnTransformer.Layers;

/// <summary>
/// What multi-head attention shares in all architectures: the four projections, the head layout and the attention
/// itself. How queries and keys are normalized in between is each architecture's own.
/// </summary>
public sealed class SelfAttention : nn.Module
{
    private readonly ModelContext _context;
    private readonly AttentionShape _shape;

    /// <summary>Creates the projections with matrices of zeros.</summary>
    /// <param name="config">Widths.</param>
    /// <param name="context">Dtypes and device.</param>
    public SelfAttention(ModelConfig config, ModelContext context)
        : base(nameof(SelfAttention))
    {
        _context = context;
        _shape = config.Attention;
        long d = config.HiddenSize;
        QkvProj = new ProjectionGroup(d, [_shape.QueryWidth, _shape.KeyValueWidth, _shape.KeyValueWidth], context);
        OProj = new Projection(_shape.QueryWidth, d, context);
        register_module("q_proj", QProj);
        register_module("k_proj", KProj);
        register_module("v_proj", VProj);
        register_module("o_proj", OProj);
    }

    /// <summary>W_q, W_k and W_v as one map, [(H + 2K)·d_h, d].</summary>
    public ProjectionGroup QkvProj { get; }

    /// <summary>W_q, [H·d_h, d].</summary>
    public Projection QProj => QkvProj.Parts[0];

    /// <summary>W_k, [K·d_h, d].</summary>
    public Projection KProj => QkvProj.Parts[1];

    /// <summary>W_v, [K·d_h, d].</summary>
    public Projection VProj => QkvProj.Parts[2];

    /// <summary>W_o, [d, H·d_h].</summary>
    public Projection OProj { get; }

    /// <summary>
    /// Adds RMSNorm with gain over d_h for every head's query and key, as the children <c>q_norm</c> and <c>k_norm</c>.
    /// </summary>
    /// <param name="config">Head size and ε.</param>
    /// <param name="context">Dtypes and device.</param>
    /// <returns>The normalization to attend with.</returns>
    internal QueryKeyNormalization AddRmsQueryKeyNorm(ModelConfig config, ModelContext context)
    {
        var (query, key) = (new RmsNorm(config.HeadSize, config.RmsNormEps, context), new RmsNorm(
            config.HeadSize, config.RmsNormEps, context));
        register_module("q_norm", query);
        register_module("k_norm", key);
        return QueryKeyNormalization.Rms(query, key);
    }

    /// <summary>
    /// softmax(scale · q kᵀ, mask) v with normalized and rotated queries and keys, the heads concatenated. Extends the
    /// cache, if there is one.
    /// </summary>
    /// <param name="qkv">Queries, keys and values of all heads, [B, T, (H + 2K)·d_h].</param>
    /// <param name="normalization">How queries and keys are normalized.</param>
    /// <param name="scale">Softmax scale.</param>
    /// <param name="rotary">Positions.</param>
    /// <param name="start">Position of the first of the T tokens.</param>
    /// <param name="cache">Keys and values of the tokens before these, or null.</param>
    /// <returns>Shape [B, T, H·d_h] in the compute dtype.</returns>
    /// <exception cref="InvalidOperationException">There is a cache, and attention is not causal.</exception>
    public Tensor Attend(
        Tensor qkv, QueryKeyNormalization normalization, double scale, RotaryEmbedding rotary, long start,
        LayerCache? cache)
    {
        if (cache is not null && !_shape.Causal)
            throw new InvalidOperationException(KeyValueCache.NotCausal);
        var input = new AttentionInput(qkv, normalization, rotary, start, scale, _shape, _context);
        if (cache is null && start == 0)
            return _context.Operators.Attention(input);
        using var scope = NewDisposeScope();
        var (q, k, v) = _context.Operators.Heads(input);
        if (cache is not null)
            (k, v) = cache.Append(k, v);
        return SoftmaxAttention.Apply(q, k, v, _shape).MoveToOuterDisposeScope();
    }
}
