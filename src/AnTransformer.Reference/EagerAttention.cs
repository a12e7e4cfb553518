using AnTransformer.Configuration;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Reference;

/// <summary>The four projections of attention, the split into heads, and LibTorch's fused softmax attention.</summary>
internal sealed class EagerAttention : nn.Module
{
    private readonly EagerPrecision _precision;
    private readonly AttentionShape _shape;
    private readonly Linear _queryProjection;
    private readonly Linear _keyProjection;
    private readonly Linear _valueProjection;
    private readonly Linear _outputProjection;

    public EagerAttention(ModelConfig config, EagerPrecision precision)
        : base(nameof(EagerAttention))
    {
        _precision = precision;
        _shape = config.Attention;
        _queryProjection = precision.Linear(config.HiddenSize, _shape.QueryWidth);
        _keyProjection = precision.Linear(config.HiddenSize, _shape.KeyValueWidth);
        _valueProjection = precision.Linear(config.HiddenSize, _shape.KeyValueWidth);
        _outputProjection = precision.Linear(_shape.QueryWidth, config.HiddenSize);
        register_module("q_proj", _queryProjection);
        register_module("k_proj", _keyProjection);
        register_module("v_proj", _valueProjection);
        register_module("o_proj", _outputProjection);
    }

    /// <summary>W_{q,k,v} x, [B, H, T, d_h] and twice [B, K, T, d_h], in the compute dtype.</summary>
    public (Tensor Query, Tensor Key, Tensor Value) Project(Tensor x)
    {
        x = _precision.ToCompute(x);
        return (Heads(_queryProjection, x), Heads(_keyProjection, x), Heads(_valueProjection, x));
    }

    /// <summary>
    /// W_o · softmax(q kᵀ/√d_h, mask) v, [B, T, d] in the compute dtype. TorchSharp's operator takes no other softmax
    /// scale, so architectures that have another multiply it onto the query.
    /// </summary>
    public Tensor Attend(Tensor query, Tensor key, Tensor value)
    {
        var mask = _shape.Window is { } window && window < query.shape[2] ? WindowMask(query, window) : null;
        var y = nn.functional.scaled_dot_product_attention(
            _precision.ToCompute(query), Repeated(key), Repeated(value), attn_mask: mask,
            is_casual: _shape.Causal && mask is null);
        return _precision.Apply(_outputProjection, y.transpose(1, 2).flatten(2));
    }

    private Tensor Heads(Linear projection, Tensor x)
        => _precision.Apply(projection, x).view(x.shape[0], x.shape[1], -1, _shape.HeadSize).transpose(1, 2);

    /// <summary>True where a key is none or fewer than W tokens before the query.</summary>
    private static Tensor WindowMask(Tensor query, int window)
    {
        var positions = arange(query.shape[2], device: query.device);
        var distance = positions.unsqueeze(1) - positions;
        return (distance >= 0).logical_and(distance < window);
    }

    /// <summary>Keys or values once for every head that they serve.</summary>
    private Tensor Repeated(Tensor x)
        => _precision.ToCompute(_shape.GroupSize == 1 ? x : x.repeat_interleave(_shape.GroupSize, dim: 1));
}
