using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Reference;

/// <summary>gain ⊙ x / √(mean(x²) + ε), in the master dtype.</summary>
internal sealed class EagerRmsNorm : nn.Module<Tensor, Tensor>
{
    private readonly Parameter _weight;
    private readonly double _epsilon;
    private readonly EagerPrecision _precision;

    public EagerRmsNorm(long size, double epsilon, EagerPrecision precision)
        : base(nameof(EagerRmsNorm))
    {
        (_epsilon, _precision) = (epsilon, precision);
        _weight = precision.Parameter(size, value: 1);
        register_parameter("weight", _weight);
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = _precision.ToMaster(input);
        var inverse = (x.square().mean([-1], keepdim: true) + _epsilon).rsqrt();
        return (x * inverse * _weight).MoveToOuterDisposeScope();
    }
}
