using AnTransformer.Generation;
using AnTransformer.Models;
using static TorchSharp.torch;

namespace AnTransformer.Layers;

/// <summary>
/// What causal multi-head attention shares in all four architectures: the four projections, the head layout and the attention
/// itself. How queries and keys are normalized in between is each architecture's own.
/// </summary>
public sealed class SelfAttention : nn.Module
{
    private readonly ModelContext _context;
    private readonly long _heads;
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
        var d = config.HiddenSize;
        QProj = new Projection(d, d, context);
        KProj = new Projection(d, d, context);
        VProj = new Projection(d, d, context);
        OProj = new Projection(d, d, context);
        register_module("q_proj", QProj);
        register_module("k_proj", KProj);
        register_module("v_proj", VProj);
        register_module("o_proj", OProj);
    }

    /// <summary>W_q, [d, d].</summary>
    public Projection QProj { get; }

    /// <summary>W_k, [d, d].</summary>
    public Projection KProj { get; }

    /// <summary>W_v, [d, d].</summary>
    public Projection VProj { get; }

    /// <summary>W_o, [d, d].</summary>
    public Projection OProj { get; }

    /// <summary>factor · W_{q,k,v} h, split into heads.</summary>
    /// <param name="h">Shape [B, T, d].</param>
    /// <param name="factor">A constant such as ν_qkv.</param>
    /// <returns>Three tensors of shape [B, H, T, d_h].</returns>
    public (Tensor Query, Tensor Key, Tensor Value) QueryKeyValue(Tensor h, double factor = 1)
        => (SplitHeads(QProj.forward(h, factor)), SplitHeads(KProj.forward(h, factor)), SplitHeads(VProj.forward(h, factor)));

    /// <summary>softmax(scale · q kᵀ, causal) v, with the heads concatenated. Extends the cache, if there is one.</summary>
    /// <param name="query">Shape [B, H, T, d_h].</param>
    /// <param name="key">Shape [B, H, T, d_h].</param>
    /// <param name="value">Shape [B, H, T, d_h].</param>
    /// <param name="scale">Softmax scale.</param>
    /// <param name="cache">Keys and values of the tokens before these, or null.</param>
    /// <returns>Shape [B, T, d] in the compute dtype.</returns>
    public Tensor Attend(Tensor query, Tensor key, Tensor value, double scale, LayerCache? cache)
    {
        using var scope = NewDisposeScope();
        // LibTorch's operator scales by 1/√d_h; the difference goes into the query.
        var toQuery = scale * Math.Sqrt(_headSize);
        var q = _context.ToCompute(toQuery == 1 ? query : query * toQuery);
        var (k, v) = (_context.ToCompute(key), _context.ToCompute(value));
        if (cache is not null)
            (k, v) = cache.Append(k, v);
        var (queries, keys) = (q.shape[2], k.shape[2]);
        // The operator's causal mask assumes as many queries as keys; a single new token sees all keys.
        var mask = queries > 1 && queries < keys
            ? ones([queries, keys], dtype: ScalarType.Bool, device: q.device).tril(keys - queries)
            : null;
        var y = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask: mask, is_casual: queries == keys && queries > 1);
        return y.transpose(1, 2).reshape(q.shape[0], queries, _heads * _headSize).MoveToOuterDisposeScope();
    }

    private Tensor SplitHeads(Tensor x) => x.view(x.shape[0], x.shape[1], _heads, _headSize).transpose(1, 2);
}
