using AnTransformer.Configuration;
using static TorchSharp.torch;

namespace AnTransformer.Operators;

/// <summary>softmax(q kᵀ / √d_h, mask) v by LibTorch's operator, for heads that share keys and for windows.</summary>
internal static class SoftmaxAttention
{
    /// <summary>Attends; the last query belongs to the last key.</summary>
    /// <param name="q">Queries, [B, H, t, d_h].</param>
    /// <param name="k">Keys, [B, K, T, d_h], T at least t.</param>
    /// <param name="v">Values, [B, K, T, d_h].</param>
    /// <param name="shape">H, K, d_h and the mask.</param>
    /// <returns>The heads concatenated, [B, t, H·d_h], in the inputs' dtype.</returns>
    public static Tensor Apply(Tensor q, Tensor k, Tensor v, AttentionShape shape)
    {
        var (queries, keys) = (q.shape[2], k.shape[2]);
        if (queries == 1 && keys > shape.Span)
        {
            (k, v) = (k.narrow(2, keys - shape.Span, shape.Span), v.narrow(2, keys - shape.Span, shape.Span));
            keys = shape.Span;
        }

        if (queries == 1 && shape.GroupSize > 1)
        {
            // All heads of a group see the same keys: they are queries of one head, and the cache is read as it is.
            var grouped = q.reshape(q.shape[0], shape.KeyValueHeads, shape.GroupSize, shape.HeadSize);
            // Kernels on GPUs give their result other strides than the CPU's.
            return nn.functional.scaled_dot_product_attention(grouped, k, v)
                .reshape(q.shape[0], 1, shape.QueryWidth);
        }

        if (shape.GroupSize > 1)
            (k, v) = (k.repeat_interleave(shape.GroupSize, 1), v.repeat_interleave(shape.GroupSize, 1));
        // The operator's causal mask assumes as many queries as keys; a single new token sees all keys.
        var mask = queries > 1 && (queries < keys || keys > shape.Span)
            ? ones([queries, keys], dtype: ScalarType.Bool, device: q.device).tril(keys - queries)
            : null;
        if (mask is not null && keys > shape.Span)
            mask = mask.triu(keys - queries + 1 - shape.Span);
        var y = nn.functional.scaled_dot_product_attention(
            q, k, v, attn_mask: mask, is_casual: mask is null && shape.Causal && queries > 1);
        return y.transpose(1, 2).reshape(q.shape[0], queries, shape.QueryWidth);
    }
}
