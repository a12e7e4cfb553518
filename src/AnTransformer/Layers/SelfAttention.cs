using AnTransformer.Configuration;
using AnTransformer.Kernels;
using AnTransformer.Normalization;
using AnTransformer.Operators;
using AnTransformer.Operators.Cuda;
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
        Tensor qkv, QueryKeyNormalization normalization, double scale, RotaryEmbedding rotary, long start, LayerCache? cache)
    {
        if (cache is not null && !_shape.Causal)
            throw new InvalidOperationException(KeyValueCache.NotCausal);
        if (cache is null && start == 0 && AttentionOperator.Fits(qkv, normalization, rotary, _context))
            return AttentionOperator.Apply(qkv, normalization, rotary, scale, _shape);

        using var scope = NewDisposeScope();
        // LibTorch's operator scales by 1/√d_h; the difference goes into the query.
        var toQuery = scale * Math.Sqrt(_shape.HeadSize);
        var (q, k, v) = CudaQueryKey.TryApply(qkv, normalization, rotary, start, _shape, toQuery)
            ?? Normalize(qkv, normalization, rotary, start, toQuery);
        return Attend(q, k, v, cache).MoveToOuterDisposeScope();
    }

    private (Tensor Query, Tensor Key, Tensor Value) Normalize(
        Tensor qkv, QueryKeyNormalization normalization, RotaryEmbedding rotary, long start, double toQuery)
    {
        Dispatch.Record(Operation.Attention, DispatchPath.Eager);
        var parts = qkv.split([_shape.QueryWidth, _shape.KeyValueWidth, _shape.KeyValueWidth], -1);
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
        if (scale is null)
            return rotated;
        var scales = (scale * normalization.Factor).view(_shape.KeyValueHeads, 1, -1);
        return rotated.shape[1] == _shape.KeyValueHeads
            ? rotated * scales
            : rotated * scales.repeat_interleave(_shape.GroupSize, 0);
    }

    private Tensor Attend(Tensor query, Tensor key, Tensor value, LayerCache? cache)
    {
        var (q, k, v) = (_context.ToCompute(query), _context.ToCompute(key), _context.ToCompute(value));
        if (cache is not null)
            (k, v) = cache.Append(k, v);
        var (queries, keys) = (q.shape[2], k.shape[2]);
        if (queries == 1 && keys > _shape.Span)
        {
            (k, v) = (k.narrow(2, keys - _shape.Span, _shape.Span), v.narrow(2, keys - _shape.Span, _shape.Span));
            keys = _shape.Span;
        }

        if (queries == 1 && _shape.GroupSize > 1)
        {
            // All heads of a group see the same keys: they are queries of one head, and the cache is read as it is.
            var grouped = q.view(q.shape[0], _shape.KeyValueHeads, _shape.GroupSize, _shape.HeadSize);
            return nn.functional.scaled_dot_product_attention(grouped, k, v).view(q.shape[0], 1, _shape.QueryWidth);
        }

        if (_shape.GroupSize > 1)
            (k, v) = (k.repeat_interleave(_shape.GroupSize, 1), v.repeat_interleave(_shape.GroupSize, 1));
        // The operator's causal mask assumes as many queries as keys; a single new token sees all keys.
        var mask = queries > 1 && (queries < keys || keys > _shape.Span)
            ? ones([queries, keys], dtype: ScalarType.Bool, device: q.device).tril(keys - queries)
            : null;
        if (mask is not null && keys > _shape.Span)
            mask = mask.triu(keys - queries + 1 - _shape.Span);
        var y = nn.functional.scaled_dot_product_attention(
            q, k, v, attn_mask: mask, is_casual: mask is null && _shape.Causal && queries > 1);
        return y.transpose(1, 2).reshape(q.shape[0], queries, _shape.QueryWidth);
    }

    /// <summary>[B, T, n·d_h] as [B, n, T, d_h].</summary>
    private Tensor SplitHeads(Tensor x) => x.view(x.shape[0], x.shape[1], -1, _shape.HeadSize).transpose(1, 2);
}
