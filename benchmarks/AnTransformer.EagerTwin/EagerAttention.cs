using AnTransformer.Configuration;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.EagerTwin;

/// <summary>The four projections of attention, the split into heads, and LibTorch's fused softmax attention.</summary>
internal sealed class EagerAttention : nn.Module
{
    private readonly EagerPrecision _precision;
    private readonly long _heads;
    private readonly Linear _queryProjection;
    private readonly Linear _keyProjection;
    private readonly Linear _valueProjection;
    private readonly Linear _outputProjection;

    public EagerAttention(ModelConfig config, EagerPrecision precision)
        : base(nameof(EagerAttention))
    {
        _precision = precision;
        _heads = config.NumAttentionHeads;
        _queryProjection = precision.Linear(config.HiddenSize, config.HiddenSize);
        _keyProjection = precision.Linear(config.HiddenSize, config.HiddenSize);
        _valueProjection = precision.Linear(config.HiddenSize, config.HiddenSize);
        _outputProjection = precision.Linear(config.HiddenSize, config.HiddenSize);
        register_module("q_proj", _queryProjection);
        register_module("k_proj", _keyProjection);
        register_module("v_proj", _valueProjection);
        register_module("o_proj", _outputProjection);
    }

    /// <summary>W_{q,k,v} x, [B, H, T, d_h] each, in the compute dtype.</summary>
    public (Tensor Query, Tensor Key, Tensor Value) Project(Tensor x)
    {
        x = _precision.ToCompute(x);
        return (Heads(_queryProjection, x), Heads(_keyProjection, x), Heads(_valueProjection, x));
    }

    /// <summary>
    /// W_o · softmax(q kᵀ/√d_h, causal) v, [B, T, d] in the compute dtype. TorchSharp's operator takes no other softmax scale,
    /// so architectures that have another multiply it onto the query.
    /// </summary>
    public Tensor Attend(Tensor query, Tensor key, Tensor value)
    {
        var y = nn.functional.scaled_dot_product_attention(
            _precision.ToCompute(query), _precision.ToCompute(key), _precision.ToCompute(value), is_casual: true);
        return _precision.Apply(_outputProjection, y.transpose(1, 2).flatten(2));
    }

    private Tensor Heads(Linear projection, Tensor x)
        => _precision.Apply(projection, x).view(x.shape[0], x.shape[1], _heads, -1).transpose(1, 2);
}
