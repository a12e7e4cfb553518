using AnTransformer.Configuration;
using AnTransformer.Kernels;
using AnTransformer.Normalization;
using AnTransformer.Operators;
using AnTransformer.Operators.Cuda;
using static TorchSharp.torch;

namespace AnTransformer.Layers;

/// <summary>
/// What causal multi-head attention shares in all architectures: the four projections, the head layout and the attention
/// itself. How queries and keys are normalized in between is each architecture's own.
/// </summary>
public sealed class SelfAttention : nn.Module
{
    private readonly ModelContext _context;
    private readonly int _heads;
    private readonly long _headSize;

    /// <summary>Creates the projections with matrices of zeros.</summary>
    /// <param name="config">Widths.</param>
    /// <param name="context">Dtypes and device.</param>
    public SelfAttention(ModelConfig config, ModelContext context)
        : base(nameof(SelfAttention))
    {
        _context = context;
        _heads = config.NumAttentionHeads;
        _headSize = config.HeadSize;
        long d = config.HiddenSize;
        QkvProj = new ProjectionGroup(d, [d, d, d], context);
        OProj = new Projection(d, d, context);
        register_module("q_proj", QProj);
        register_module("k_proj", KProj);
        register_module("v_proj", VProj);
        register_module("o_proj", OProj);
    }

    /// <summary>W_q, W_k and W_v as one map, [3d, d].</summary>
    public ProjectionGroup QkvProj { get; }

    /// <summary>W_q, [d, d].</summary>
    public Projection QProj => QkvProj.Parts[0];

    /// <summary>W_k, [d, d].</summary>
    public Projection KProj => QkvProj.Parts[1];

    /// <summary>W_v, [d, d].</summary>
    public Projection VProj => QkvProj.Parts[2];

    /// <summary>W_o, [d, d].</summary>
    public Projection OProj { get; }

    /// <summary>Adds RMSNorm with gain over d_h for every head's query and key, as the children <c>q_norm</c> and <c>k_norm</c>.</summary>
    /// <param name="config">Head size and ε.</param>
    /// <param name="context">Dtypes and device.</param>
    /// <returns>The normalization to attend with.</returns>
    internal QueryKeyNormalization AddRmsQueryKeyNorm(ModelConfig config, ModelContext context)
    {
        var (query, key) = (new RmsNorm(config.HeadSize, config.RmsNormEps, context), new RmsNorm(config.HeadSize, config.RmsNormEps, context));
        register_module("q_norm", query);
        register_module("k_norm", key);
        return QueryKeyNormalization.Rms(query, key);
    }

    /// <summary>
    /// softmax(scale · q kᵀ, causal) v with normalized and rotated queries and keys, the heads concatenated. Extends the cache, if
    /// there is one.
    /// </summary>
    /// <param name="qkv">Queries, keys and values of all heads, [B, T, 3d].</param>
    /// <param name="normalization">How queries and keys are normalized.</param>
    /// <param name="scale">Softmax scale.</param>
    /// <param name="rotary">Positions.</param>
    /// <param name="start">Position of the first of the T tokens.</param>
    /// <param name="cache">Keys and values of the tokens before these, or null.</param>
    /// <returns>Shape [B, T, d] in the compute dtype.</returns>
    public Tensor Attend(
        Tensor qkv, QueryKeyNormalization normalization, double scale, RotaryEmbedding rotary, long start, LayerCache? cache)
    {
        if (cache is null && start == 0 && AttentionOperator.Fits(qkv, normalization, rotary, _context))
            return AttentionOperator.Apply(qkv, normalization, rotary, scale, _heads);

        using var scope = NewDisposeScope();
        // LibTorch's operator scales by 1/√d_h; the difference goes into the query.
        var toQuery = scale * Math.Sqrt(_headSize);
        var (q, k, v) = CudaQueryKey.TryApply(qkv, normalization, rotary, start, _heads, toQuery)
            ?? Normalize(qkv, normalization, rotary, start, toQuery);
        return Attend(q, k, v, cache).MoveToOuterDisposeScope();
    }

    private (Tensor Query, Tensor Key, Tensor Value) Normalize(
        Tensor qkv, QueryKeyNormalization normalization, RotaryEmbedding rotary, long start, double toQuery)
    {
        Dispatch.Record(Operation.Attention, DispatchPath.Eager);
        var parts = qkv.chunk(3, -1);
        var q = Normalize(SplitHeads(parts[0]), normalization, normalization.Query, rotary, start);
        var k = Normalize(SplitHeads(parts[1]), normalization, normalization.Key, rotary, start);
        return (toQuery == 1 ? q : q * toQuery, k, SplitHeads(parts[2]));
    }

    private Tensor Normalize(
        Tensor x, QueryKeyNormalization normalization, TorchSharp.Modules.Parameter? scale, RotaryEmbedding rotary, long start)
    {
        if (normalization.Kind == QueryKeyNorm.Rms)
            return rotary.Rotate(Norms.Rms(x, normalization.Epsilon) * scale!, start);
        var rotated = rotary.Rotate(x, start);
        if (normalization.Kind == QueryKeyNorm.L2)
            rotated = Norms.L2(rotated);
        return scale is null ? rotated : rotated * (scale * normalization.Factor).view(_heads, 1, -1);
    }

    private Tensor Attend(Tensor query, Tensor key, Tensor value, LayerCache? cache)
    {
        var (q, k, v) = (_context.ToCompute(query), _context.ToCompute(key), _context.ToCompute(value));
        if (cache is not null)
            (k, v) = cache.Append(k, v);
        var (queries, keys) = (q.shape[2], k.shape[2]);
        // The operator's causal mask assumes as many queries as keys; a single new token sees all keys.
        var mask = queries > 1 && queries < keys
            ? ones([queries, keys], dtype: ScalarType.Bool, device: q.device).tril(keys - queries)
            : null;
        var y = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask: mask, is_casual: queries == keys && queries > 1);
        return y.transpose(1, 2).reshape(q.shape[0], queries, _heads * _headSize);
    }

    private Tensor SplitHeads(Tensor x) => x.view(x.shape[0], x.shape[1], _heads, _headSize).transpose(1, 2);
}
