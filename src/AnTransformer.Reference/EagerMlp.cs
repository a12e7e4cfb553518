using AnTransformer.Configuration;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Reference;

/// <summary>The three projections of the SwiGLU MLP.</summary>
internal sealed class EagerMlp : nn.Module
{
    private readonly EagerPrecision _precision;
    private readonly Linear _gateProjection;
    private readonly Linear _upProjection;
    private readonly Linear _downProjection;

    public EagerMlp(ModelConfig config, EagerPrecision precision)
        : base(nameof(EagerMlp))
    {
        _precision = precision;
        _gateProjection = precision.Linear(config.HiddenSize, config.IntermediateSize);
        _upProjection = precision.Linear(config.HiddenSize, config.IntermediateSize);
        _downProjection = precision.Linear(config.IntermediateSize, config.HiddenSize);
        register_module("gate_proj", _gateProjection);
        register_module("up_proj", _upProjection);
        register_module("down_proj", _downProjection);
    }

    /// <summary>W_u x and W_g x, [B, T, f] each, in the compute dtype.</summary>
    public (Tensor Up, Tensor Gate) Project(Tensor x)
    {
        x = _precision.ToCompute(x);
        return (_precision.Apply(_upProjection, x), _precision.Apply(_gateProjection, x));
    }

    /// <summary>W_d m, [B, T, d] in the compute dtype.</summary>
    public Tensor Down(Tensor m) => _precision.Apply(_downProjection, m);
}
