using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Operators.Backends;

/// <summary>
/// Kernels on the CPU around matrix products in bf16, which are LibTorch's: what reads and writes the stream alone, in
/// fp32, is fused.
/// </summary>
internal class MixedCpuBackend : EagerBackend
{
    /// <inheritdoc/>
    public override Tensor Embedding(Tensor tokens, Parameter table)
        => EmbeddingOperator.Fits(tokens, table)
            ? EmbeddingOperator.Apply(tokens, table)
            : base.Embedding(tokens, table);

    /// <inheritdoc/>
    public override Tensor Squash(DynamicSquash squash, Tensor input)
        => SquashOperator.Fits(squash, input) ? SquashOperator.Apply(squash, input) : base.Squash(squash, input);
}
