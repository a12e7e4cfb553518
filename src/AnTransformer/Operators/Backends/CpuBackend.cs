using static TorchSharp.torch;

namespace AnTransformer.Operators.Backends;

/// <summary>Fused kernels on the CPU, all in fp32.</summary>
internal sealed class CpuBackend : MixedCpuBackend
{
    /// <inheritdoc/>
    public override Tensor Linear(in LinearMap map)
        => LinearOperator.Fits(map) ? LinearOperator.Apply(map) : base.Linear(map);

    /// <inheritdoc/>
    public override Tensor Attention(in AttentionInput input)
        => AttentionOperator.Fits(input)
            ? AttentionOperator.Apply(input.Qkv, input.Normalization, input.Rotary, input.Scale, input.Shape)
            : base.Attention(input);

    /// <inheritdoc/>
    public override Tensor SphereUpdate(Tensor h, Tensor x, ReparameterizedScale alpha)
        => SphereUpdateOperator.Fits(h, x, alpha)
            ? SphereUpdateOperator.Apply(h, x, alpha)
            : base.SphereUpdate(h, x, alpha);

    /// <inheritdoc/>
    public override Tensor NormalizedSum(Tensor h, Tensor x, RmsNorm norm)
        => NormalizedSumOperator.Fits(h, x, norm)
            ? NormalizedSumOperator.Apply(h, x, norm)
            : base.NormalizedSum(h, x, norm);

    /// <inheritdoc/>
    public override Tensor Loss(in HeadLoss loss)
        => CrossEntropyOperator.Fits(loss.Input, loss.Head, loss.Targets)
            ? CrossEntropyOperator.Mean(loss.Input, loss.Head, loss.Scales, loss.Targets)
            : base.Loss(loss);

    /// <inheritdoc/>
    public override Tensor TokenLosses(in HeadLoss loss)
        => !loss.NeedsGraph && CrossEntropyOperator.Fits(loss.Input, loss.Head, loss.Targets)
            ? CrossEntropyOperator.PerToken(loss.Input, loss.Head, loss.Scales, loss.Targets)
            : base.TokenLosses(loss);
}
