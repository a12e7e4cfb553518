using AnTransformer.Kernels.Cuda;
using AnTransformer.Operators.Cuda;
using static TorchSharp.torch;

namespace AnTransformer.Operators.Backends;

/// <summary>
/// Fused kernels of a CUDA device between LibTorch's matrix products, and LibTorch's softmax attention.
/// </summary>
/// <param name="kernels">The device's kernels.</param>
internal sealed class CudaBackend(CudaKernels kernels) : EagerBackend
{
    /// <inheritdoc/>
    public override Tensor Linear(in LinearMap map)
        => CudaLinear.Fits(kernels, map) ? CudaLinear.Apply(kernels, map) : base.Linear(map);

    /// <inheritdoc/>
    public override (Tensor Query, Tensor Key, Tensor Value) Heads(in AttentionInput input)
        => CudaQueryKey.Fits(kernels, input) ? CudaQueryKey.Apply(kernels, input) : base.Heads(input);

    /// <inheritdoc/>
    public override Tensor SphereUpdate(Tensor h, Tensor x, ReparameterizedScale alpha)
        => CudaSphereUpdate.Fits(kernels, h, x)
            ? CudaSphereUpdate.Apply(kernels, h, x, alpha)
            : base.SphereUpdate(h, x, alpha);

    /// <inheritdoc/>
    public override Tensor Loss(in HeadLoss loss)
        => CudaCrossEntropy.Fits(kernels, loss) ? CudaCrossEntropy.Mean(kernels, loss) : base.Loss(loss);

    /// <inheritdoc/>
    public override Tensor TokenLosses(in HeadLoss loss)
        => !loss.NeedsGraph && CudaCrossEntropy.Fits(kernels, loss)
            ? CudaCrossEntropy.PerToken(kernels, loss)
            : base.TokenLosses(loss);
}
