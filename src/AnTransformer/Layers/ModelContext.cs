using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Layers;

/// <summary>Where a model lives and in which precisions it computes.</summary>
/// <param name="Device">CPU or CUDA.</param>
/// <param name="MasterDtype">Dtype of parameters, residual stream and reductions: fp32 (fp64 in parity tests).</param>
/// <param name="ComputeDtype">Dtype of matrix products and attention: the master dtype or bf16.</param>
public sealed record ModelContext(Device Device, ScalarType MasterDtype, ScalarType ComputeDtype)
{
    /// <summary>fp32 on the CPU.</summary>
    public static ModelContext Default { get; } = new(CPU, ScalarType.Float32, ScalarType.Float32);

    /// <summary>A trainable tensor of zeros in the master dtype.</summary>
    /// <param name="shape">Its shape.</param>
    public Parameter Parameter(params long[] shape) => new(zeros(shape, dtype: MasterDtype, device: Device));

    /// <summary>The tensor in the compute dtype; the same tensor when it already is.</summary>
    /// <param name="tensor">Any shape.</param>
    public Tensor ToCompute(Tensor tensor) => tensor.dtype == ComputeDtype ? tensor : tensor.to(ComputeDtype);

    /// <summary>The tensor in the master dtype; the same tensor when it already is.</summary>
    /// <param name="tensor">Any shape.</param>
    public Tensor ToMaster(Tensor tensor) => tensor.dtype == MasterDtype ? tensor : tensor.to(MasterDtype);
}
