using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Reference;

/// <summary>
/// Where the twin computes and in which dtypes. TorchSharp has no autocast: matrix products cast their input and their
/// weight themselves where the compute dtype is another than the master dtype.
/// </summary>
internal sealed record EagerPrecision(Device Device, ScalarType Master, ScalarType Compute)
{
    public Linear Linear(long inputSize, long outputSize)
        => nn.Linear(inputSize, outputSize, hasBias: false, device: Device, dtype: Master);

    public Parameter Parameter(long size, double value) => new(full([size], value, dtype: Master, device: Device));

    /// <summary>W x in the compute dtype.</summary>
    public Tensor Apply(Linear linear, Tensor x)
        => Compute == Master ? linear.forward(x) : nn.functional.linear(x.to(Compute), linear.weight!.to(Compute));

    public Tensor ToCompute(Tensor x) => x.dtype == Compute ? x : x.to(Compute);

    public Tensor ToMaster(Tensor x) => x.dtype == Master ? x : x.to(Master);
}
